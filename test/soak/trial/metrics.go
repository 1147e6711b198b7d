// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A page is the content of /metrics.
type page []byte

// fetch reads /metrics. A paused process does not answer.
func fetch(ctx context.Context, url string) (page, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("metrics: %s", response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, 16<<20))
}

// value returns the value of the first series whose line has that prefix.
func (p page) value(series string) (float64, bool) {
	lines := bufio.NewScanner(bytes.NewReader(p))
	for lines.Scan() {
		if line := lines.Text(); strings.HasPrefix(line, series) {
			n, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
			return n, err == nil
		}
	}
	return 0, false
}

// A sample is the resource usage of the working replica at a time.
type sample struct {
	at                 time.Time
	number             int // of the replica
	goroutines, memory float64
}

// warm is how old a process must be for its size to mean something.
const warm = 5 * time.Second

// measure samples the working replica periodically, until ctx ends.
func (rs *replicas) measure(ctx context.Context, every time.Duration) {
	for ctx.Err() == nil {
		pause(ctx, every)
		r := rs.worker()
		if r == nil || time.Since(r.startedAt) < warm {
			continue
		}
		page, err := fetch(ctx, r.Metrics)
		if err != nil {
			continue
		}
		goroutines, _ := page.value("go_goroutines ")
		memory, _ := page.value("process_resident_memory_bytes ")
		rs.mu.Lock()
		rs.samples = append(rs.samples, sample{time.Now(), r.number, goroutines, memory})
		rs.mu.Unlock()
	}
}

// A growth compares the first third of some samples with the last third.
type growth struct {
	Samples         int     `json:"samples"`
	GoroutinesFirst float64 `json:"goroutinesFirst"`
	GoroutinesLast  float64 `json:"goroutinesLast"`
	MiBFirst        float64 `json:"mibFirst"`
	MiBLast         float64 `json:"mibLast"`
}

func growthOf(samples []sample) growth {
	third := len(samples) / 3
	if third == 0 {
		return growth{Samples: len(samples)}
	}
	first, last := samples[:third], samples[len(samples)-third:]
	goroutines := func(s sample) float64 { return s.goroutines }
	mib := func(s sample) float64 { return s.memory / (1 << 20) }
	return growth{len(samples), median(first, goroutines), median(last, goroutines), median(first, mib), median(last, mib)}
}

// flat reports whether the growth is no more than garbage collection and current work explain.
func (g growth) flat() bool {
	return g.Samples < 9 || g.GoroutinesLast <= 1.25*g.GoroutinesFirst+20 && g.MiBLast <= 1.25*g.MiBFirst+8
}

func median(samples []sample, of func(sample) float64) float64 {
	var values []float64
	for _, s := range samples {
		values = append(values, of(s))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// longest returns the samples of the replica that has the most of them.
func longest(samples []sample) []sample {
	by := map[int][]sample{}
	var most []sample
	for _, s := range samples {
		by[s.number] = append(by[s.number], s)
		if len(by[s.number]) > len(most) {
			most = by[s.number]
		}
	}
	return most
}
