// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

var fuzzedPaths = []string{"a", "b", "a.b", "b.a.c", "error", "error.code", "..", "ä"}

// FuzzScan reads any text, as it stands and with its middle repeated up to 1 MiB, and compares what it finds with encoding/json's word.
func FuzzScan(f *testing.F) {
	for _, seed := range [][3]string{
		{`{"a":`, `1`, `}`}, {`{"a":["x"`, `,"y"`, `],"b":{"a":{"c":true}}}`}, {`{"a":"`, `\u00e4\ud83d\ude00\ud800`, `"}`},
		{`{"error":{"code":"x"}`, `,"error":{}`, `}`}, {"\ufeff {", ``, "}\n"}, {`{"a":-0.1e+7`, ``, `,"a":[]}`}, {`{"":{"":{"":`, `[`, `0]}}}`},
		{`{"a":"` + "\xff\xfe", "\x7f", `","\u0061":null}`}, {`{"ä":01}`, ``, ``}, {`{"a":tru}`, `nul`, `fals`}, {`{"b":1.e1}`, `-`, `1E`},
		{`{"a":[{"":0}`, `,{"":0}`, `]}`},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, before, middle, after string) {
		if len(before)+len(middle)+len(after) > 1<<20 {
			return
		}
		document := before + middle + after
		said := wanted(fuzzedPaths...)
		err := scan(strings.NewReader(document), said)
		compare(t, document, said, err)

		if middle == "" {
			return
		}
		bomb := before + strings.Repeat(middle, (1<<20-len(before)-len(after))/len(middle)) + after
		var start, end runtime.MemStats
		runtime.ReadMemStats(&start)
		_ = scan(strings.NewReader(bomb), wanted(fuzzedPaths...))
		runtime.ReadMemStats(&end)
		if took := end.TotalAlloc - start.TotalAlloc; took > 8<<20 {
			t.Errorf("%d KiB", took>>10)
		}
	})
}

func compare(t *testing.T, document string, said *members, err error) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader([]byte(strings.TrimPrefix(document, "\ufeff"))))
	decoder.UseNumber()
	var whole map[string]any
	valid := decoder.Decode(&whole) == nil && whole != nil
	if valid {
		_, more := decoder.Token()
		valid = errors.Is(more, io.EOF)
	}
	switch {
	case errors.Is(err, errTooDeep), errors.Is(err, errTooManyMembers):
		return
	case err != nil:
		if valid {
			t.Errorf("refused: %v", err)
		}
		return
	case !valid:
		t.Error("taken for an object")
		return
	}
	for _, path := range fuzzedPaths {
		var found any = whole
		there := true
		for name := range strings.SplitSeq(path, ".") {
			inner, ok := found.(map[string]any)
			found, there = inner[name], ok
			if _, ok := inner[name]; !ok {
				there = false
			}
		}
		if got := said.at(path); !agree(got, found, there) {
			t.Errorf("%s: %+v, not %v", path, got, found)
		}
	}
}

func agree(got value, want any, there bool) bool {
	switch want := want.(type) {
	case nil:
		return got.kind == isNull && there || got.kind == absent && !there
	case bool:
		return got.kind == isBool && got.yes == want
	case json.Number:
		return got.kind == isNumber && (got.text == string(want) || len(want) > maxNumber && got.text == "")
	case string:
		return got.kind == isString && replaced(got.text) == replaced(want) || got.kind == isLong && len(want) > maxText/6
	case map[string]any:
		return got.kind == isObject
	case []any:
		if got.kind != isList {
			return false
		}
		var names []string
		for _, element := range want {
			if name, ok := element.(string); ok {
				names = append(names, replaced(name))
			}
		}
		for i := range got.list {
			got.list[i] = replaced(got.list[i])
		}
		return len(want) > maxElements || len(names) > 0 && len(strings.Join(names, "")) > maxText/6 || slices.Equal(names, got.list)
	}
	return false
}

// replaced has one replacement character for a row of them: encoding/json makes one of each byte that is no UTF-8.
func replaced(text string) string {
	return regexp.MustCompile("\ufffd+").ReplaceAllString(text, "\ufffd")
}
