// Package simulation runs the operator's own code, from the queue's handlers to the gate of the endpoints, in a world that is simulated and
// decided by one seed: a clock, an API server with caches that lag, vendors that misbehave, users, and processes that are killed between any
// two requests. Its tests say what holds in every such world.
//
// A seed that fails is run again, with its story printed, by
//
//	go test ./test/simulation -run TestSeeds -simulation.seed=N
//
// and more seeds by make simulate SEEDS=100000. That it finds bugs is shown by make mutate-simulation, which puts some in.
package simulation
