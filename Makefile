# Thin: every target is a script, and the scripts can be run by themselves.

.PHONY: run test soak build bench clean

# Sets up, builds, starts `skein serve` and talks to it; ONCE=1 ends after the demonstration.
run:
	@ONCE="$(ONCE)" ./scripts/run

# Sets up and runs every test once, at reduced counts (make soak has the full ones).
test:
	@./scripts/test

# The full counts; a summary goes to docs/soak/.
soak:
	@./scripts/soak

# Leaves the executable at bin/skein.
build:
	@./scripts/build

# One layer's benchmarks with LAYER=Mailbox, else all.
bench:
	@LAYER="$(LAYER)" ./scripts/bench

clean:
	@./scripts/clean
