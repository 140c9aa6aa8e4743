# The short names of what people do. `make lab` and `make test` each work alone from a fresh clone.
NODES ?= 1
LABCTL := .venv/bin/labctl

.PHONY: help setup lab test test-unit lint down clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## .venv/bin/labctl and a running engine (YES=1: do not ask)
	@scripts/setup.sh

lab: setup ## build every image and bring up a lab (NODES=1)
	$(LABCTL) build
	$(LABCTL) up --nodes $(NODES)
