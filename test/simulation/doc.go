// Package simulation runs the operator's own code, from the queue's handlers to the gate of the endpoints, in a world that is simulated and
// decided by one seed: a clock, an API server with caches that lag, vendors that misbehave, users, and processes that are killed between any
// two requests. Its tests say what holds in every such world.
//
// A seed makes a plan (plan_test.go): objects, assumptions that do not hold in this world (assume_*_test.go), and what happens when. TestSeeds counts
// how often each assumption was flipped. A world that breaks a promise is shrunk (shrink_test.go) to the objects, flips and events that it takes, and
// the line that is printed with it runs that again and tells its story:
//
//	go test ./test/simulation -run TestSeeds -simulation.seed=N -simulation.keep=OBJECTS/FLIPS/EVENTS
//
// More seeds are run by make simulate SEEDS=100000, worlds that flip nothing but some assumptions by -simulation.flip=NAME,NAME. That it finds bugs
// is shown by make mutate-simulation, which puts some in.
package simulation
