// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Sizes of the plot in pixels.
const (
	width, panel    = 960, 150
	left, right     = 70, 20
	top, gap, below = 40, 62, 46
)

// plot draws the exchanges of every minute, with one panel per outcome.
func plot(outcomes []outcome) string {
	var out strings.Builder
	height := top + len(outcomes)*panel + (len(outcomes)-1)*gap + below
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12" fill="#333">`+"\n",
		width, height, width, height)
	fmt.Fprintf(&out, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	for i := range outcomes {
		outcomes[i].draw(&out, top+i*(panel+gap))
	}
	fmt.Fprintf(&out, `<text x="%d" y="%d" text-anchor="middle">hours since all were created at once</text>`+"\n</svg>\n", (left+width-right)/2, height-8)
	return out.String()
}

// draw draws a panel.
func (o *outcome) draw(out *strings.Builder, y int) {
	most := slices.Max(o.perMinute)
	scale := ceiling(most)
	inner := width - left - right
	hours := int(o.span / time.Hour)
	fmt.Fprintf(out, `<text x="%d" y="%d" font-size="14">%d credentials, tokens of %s, --token-endpoint-qps=%g: exchanges a minute</text>`+"\n",
		left, y-12, o.objects, short(o.lifetime), o.qps)
	for _, share := range []int{0, 1, 2} {
		value := scale * share / 2
		at := y + panel - panel*share/2
		fmt.Fprintf(out, `<path d="M%d %dH%d" stroke="#ddd"/><text x="%d" y="%d" text-anchor="end">%d</text>`+"\n", left, at, width-right, left-8, at+4, value)
	}
	for hour := 0; hour <= hours; hour += 6 {
		at := left + inner*hour/hours
		fmt.Fprintf(out, `<path d="M%d %dv5" stroke="#999"/><text x="%d" y="%d" text-anchor="middle">%d</text>`+"\n", at, y+panel, at, y+panel+19, hour)
	}
	fmt.Fprintf(out, `<path fill="#2563ab" d="M%d %d`, left, y+panel)
	for minute, n := range o.perMinute {
		x := float64(left) + float64(inner)*float64(minute)/float64(len(o.perMinute))
		fmt.Fprintf(out, "L%.1f %.1f", x, float64(y+panel)-float64(panel)*float64(n)/float64(scale))
	}
	fmt.Fprintf(out, `V%dZ"/>`+"\n", y+panel)
}

// ceiling returns the next round number.
func ceiling(n int) int {
	for power := 1; ; power *= 10 {
		for _, step := range []int{2, 4, 6, 10} {
			if round := step * power; round >= n {
				return round
			}
		}
	}
}
