// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
)

// An observer sees what a user without access to Secrets can see: CDPCredentials with their status, events, metrics, workloads, the operator's log,
// and in which order Secrets and CDPCredentials were written.
type observer struct {
	w *world
	// step and doing are the current action.
	step   int
	doing  string
	sights []sight
	// known is how many of the API server's changes were noted.
	known int
	// ids are the names under which random IDs are compared.
	ids map[string]string
}

// A sight is one observation. what is its kind; content is never printed.
type sight struct {
	step          int
	doing         string
	at            time.Duration
	what, content string
}

func newObserver(w *world) *observer {
	o := &observer{w: w, ids: map[string]string{}}
	w.overhears = func(about types.NamespacedName, what string) {
		kind, text, _ := strings.Cut(what, ": ")
		o.see(about.Name, kind+": "+text)
	}
	return o
}

// logger returns a logger that writes into what the observer sees.
func (o *observer) logger() logr.Logger {
	return funcr.New(func(name, text string) {
		o.see("", "log "+name+": "+text)
	}, funcr.Options{Verbosity: 9})
}

// created matches the wall-clock time at which this test created a series.
var created = regexp.MustCompile(`created_timestamp: ?\{[^}]*\}`)

// see notes an observation, after the API server's changes so far. The text before the first colon is its kind.
func (o *observer) see(about, text string) {
	o.look()
	o.note(about, text)
}

func (o *observer) note(about, text string) {
	text = o.named(text)
	kind, content, _ := strings.Cut(text, ": ")
	o.sights = append(o.sights, sight{o.step, o.doing, o.w.now, strings.TrimSpace(kind + " " + about), content})
}

// named replaces random IDs by names: data revisions have 16 hex digits, names of processes 8. It scans by hand because a regular expression would
// take a fifth of the whole running time.
func (o *observer) named(text string) string {
	var out strings.Builder
	copied := 0
	for start := 0; start < len(text); start++ {
		if !wordByte(text[start]) {
			continue
		}
		end, hex := start, true
		for ; end < len(text) && wordByte(text[end]); end++ {
			hex = hex && hexDigit(text[end])
		}
		if length := end - start; hex && (length == 8 || length == 16) {
			out.WriteString(text[copied:start])
			out.WriteString(o.nameOf(text[start:end]))
			copied = end
		}
		start = end
	}
	out.WriteString(text[copied:])
	return out.String()
}

func (o *observer) nameOf(id string) string {
	if o.ids[id] == "" {
		o.ids[id] = fmt.Sprintf("random ID %d", len(o.ids)+1)
	}
	return o.ids[id]
}

func hexDigit(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' }

func wordByte(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
}

// look notes the API server's changes since the last call.
func (o *observer) look() {
	for _, c := range o.w.api.changes[o.known:] {
		switch {
		case c.ofSecret && c.metadata == nil:
			o.note(c.name.Name, fmt.Sprintf("Secret deleted: at %s", c.at))
		case c.ofSecret:
			o.note(c.name.Name, fmt.Sprintf("Secret written: at %s as version %s", c.at, c.metadata.ResourceVersion))
		case c.credential == nil:
			o.note(c.name.Name, fmt.Sprintf("CDPCredential deleted: at %s", c.at))
		default:
			text, err := json.Marshal(c.credential)
			if err != nil {
				panic(err)
			}
			o.note(c.name.Name, fmt.Sprintf("CDPCredential: %s", text))
		}
	}
	o.known = len(o.w.api.changes)
}

// scrape notes the metrics of a process.
func (o *observer) scrape(from prometheus.Gatherer) {
	families, err := from.Gather()
	if err != nil {
		panic(err)
	}
	o.look()
	for _, f := range families {
		o.note("", "metric "+f.GetName()+": "+created.ReplaceAllString(f.String(), ""))
	}
}

// difference describes the first difference between two observers, without anything that they saw. Empty: there is none.
func difference(one, other *observer) string {
	for i := range max(len(one.sights), len(other.sights)) {
		switch {
		case i >= len(one.sights):
			return "only in the second world: " + other.sights[i].String()
		case i >= len(other.sights):
			return "only in the first world: " + one.sights[i].String()
		}
		a, b := one.sights[i], other.sights[i]
		switch {
		case a.step != b.step || a.what != b.what || a.at != b.at:
			return fmt.Sprintf("in the first world: %s; in the second: %s", a, b)
		case a.content != b.content:
			return fmt.Sprintf("%s differs%s", a, where(a.content, b.content))
		}
	}
	return ""
}

func (s sight) String() string {
	return fmt.Sprintf("%s (step %d: %s, at %s)", s.what, s.step, s.doing, s.at)
}

// where names the first member in which two JSON texts differ. Empty: they are not JSON.
func where(a, b string) string {
	var left, right map[string]any
	if json.Unmarshal([]byte(a), &left) != nil || json.Unmarshal([]byte(b), &right) != nil {
		return ""
	}
	return " in " + member(left, right)
}

func member(left, right any) string {
	a, ok := left.(map[string]any)
	b, both := right.(map[string]any)
	if !ok || !both {
		return ""
	}
	names := maps.Clone(a)
	maps.Copy(names, b)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if !reflect.DeepEqual(a[name], b[name]) {
			return strings.TrimSuffix(name+"."+member(a[name], b[name]), ".")
		}
	}
	return ""
}
