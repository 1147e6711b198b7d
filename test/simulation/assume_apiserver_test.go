package simulation

import "time"

// apiAssumptions are about the API server and the way to it.
var apiAssumptions = []*assumption{
	{name: "api-flaky", holds: "a request is done, and its answer arrives", episode: func(w *world, about time.Duration) string {
		w.apiFault = apiFault{refused: w.chance.Float64() / 2, lost: w.chance.Float64() / 3, slow: pick(w, []time.Duration{0, 100 * time.Millisecond, 2 * time.Second})}
		return w.faultEnds(about, func() { w.apiFault = apiFault{} })
	}},
	{name: "api-down", holds: "the API server is there", episode: func(w *world, about time.Duration) string {
		w.apiFault = apiFault{refused: 1}
		d := w.about(about)
		w.holdWatches(d)
		w.judge.obstruct(nil, d+90*time.Second)
		w.after(d, func() { w.apiFault = apiFault{} })
		return d.String()
	}},
	{name: "api-silent-watch", holds: "a watch tells of a change at once", episode: func(w *world, about time.Duration) string {
		d := min(w.about(about), 10*time.Minute)
		w.holdWatches(d)
		return d.String()
	}},
	{name: "api-slow-watch", holds: "a cache is up to date within milliseconds", flip: func(w *world) { w.lag = 2 * time.Second }},
}
