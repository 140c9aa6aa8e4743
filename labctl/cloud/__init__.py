"""The OpenStack inside a lab, through openstacksdk: is it ready, and does it do what a cloud must do."""
