.venv/stamp:
	touch .venv/stamp
