// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// A Report is the result of a run. Times are in seconds.
type Report struct {
	Seed        uint64  `json:"seed"`
	Credentials int     `json:"credentials"`
	Duration    float64 `json:"duration"`

	// Looks is how often a target was judged, with at most SlowestLook seconds between two rounds. Calls of APIs and LiveReads of the API server are
	// counted separately.
	Looks       int     `json:"looks"`
	SlowestLook float64 `json:"slowestLook"`
	Calls       int     `json:"calls"`
	LiveReads   int     `json:"liveReads"`

	// BadSeconds is how long any consumer had an expired or wrong token without an excuse, ExcusedSeconds how long with one; both as elapsed time and
	// summed over the objects.
	BadSeconds           float64  `json:"badSeconds"`
	BadObjectSeconds     float64  `json:"badObjectSeconds"`
	ExcusedSeconds       float64  `json:"excusedSeconds"`
	ExcusedObjectSeconds float64  `json:"excusedObjectSeconds"`
	Bad                  []Gap    `json:"bad"`
	Excused              []Gap    `json:"excused"`
	Repairs              []Repair `json:"repairs"`
	// Disputes are the times in which status had another expiry than the target.
	Disputes Repair `json:"disputes"`

	Exchanges   Exchanges      `json:"exchanges"`
	Attempts    map[string]int `json:"attempts"` // requests to token endpoints by injected fault; "" is none
	Refusals    int            `json:"refusals"` // answers that say that a request was wrong
	SettledIn   float64        `json:"settledIn"`
	Deeds       map[string]int `json:"deeds"`
	DeedsNot    int            `json:"deedsNotDone"`
	Replicas    map[string]int `json:"replicas"`
	APIRestarts int            `json:"apiServerRestarts"`
	APIDown     []float64      `json:"apiServerDown"`
	Idle        []float64      `json:"noOperator"`
	Stalls      []float64      `json:"machineTooBusy"`
	Growth      growth         `json:"growth"`
	Marathon    growth         `json:"growthOfOneProcess"`
	ForeignLeft int            `json:"foreignSecrets"`

	// Violations are all broken promises. Empty: the run passed.
	Violations []string `json:"violations"`
}

// A Gap is a period in which a consumer had something wrong.
type Gap struct {
	Object  string  `json:"object"`
	Verdict string  `json:"verdict"`
	From    string  `json:"from"`
	Seconds float64 `json:"seconds"`
	Lead    float64 `json:"lead"`
	// Causes are the blockages between the time at which the token was due for renewal and the end of the gap.
	Causes map[string]float64 `json:"causes"`
}

// A Repair summarizes one kind of breakage.
type Repair struct {
	What   string  `json:"what"`
	Count  int     `json:"count"`
	Median float64 `json:"median"`
	Worst  float64 `json:"worst"`
	Late   int     `json:"late"`
}

// Exchanges counts the reasons for which tokens were issued.
type Exchanges struct {
	Issued   int            `json:"issued"`
	First    int            `json:"first"`
	Due      int            `json:"due"`
	UnderWay int            `json:"underWay"`
	Excess   map[string]int `json:"excess"`
}

func (e *Exchanges) add(t tally) {
	e.First, e.Due, e.UnderWay = e.First+t.first, e.Due+t.due, e.UnderWay+t.underWay
	for why, n := range t.excess {
		e.Excess[why] += n
	}
}

func seconds(d time.Duration) float64 { return d.Round(time.Millisecond).Seconds() }

func lengths(list []blockage) []float64 {
	var out []float64
	for _, b := range list {
		out = append(out, seconds(b.to.Sub(b.from)))
	}
	return out
}

// covered returns the elapsed time that some periods cover together.
func covered(spans []blockage) time.Duration {
	var sum time.Duration
	var last time.Time
	for _, b := range byStart(slices.Clone(spans)) {
		if from := later(b.from, last); b.to.After(from) {
			sum += b.to.Sub(from)
			last = b.to
		}
	}
	return sum
}

func summed(spans []blockage) time.Duration {
	var sum time.Duration
	for _, b := range spans {
		sum += b.to.Sub(b.from)
	}
	return sum
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
