lock:  ## Resolve all dependencies anew.
	$(MAKE) -s requirements/layer.txt requirements/compile.txt requirements/dev.txt requirements/sam.txt requirements/checkov.txt --always-make
RESOLVE = .venv/bin/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-annotate --no-header
