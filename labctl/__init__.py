"""labctl: builds images of real upstream OpenStack and runs disposable clouds made of them."""

__version__ = "0.1.0"
