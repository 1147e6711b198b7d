package render

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var sample = Values{
	Token:     "CANARY-token",
	TokenType: "Bearer",
	ExpiresAt: "2026-08-01T12:00:00Z",
	ClientID:  "client-1",
	Scopes:    []string{"a:read", "b:write"},
	Headers:   map[string]string{"authorization": "Bearer CANARY-token", "x-api-key": "client-1", "tenant_hash": "h1"},
}

func TestRender(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ template, want string }{
		"empty":                   {``, ``},
		"text only":               {`a } b`, `a } b`},
		"token":                   {`Bearer {{ .token }}`, `Bearer CANARY-token`},
		"token type":              {`{{ .tokenType }}`, `Bearer`},
		"expiry":                  {`{{ .expiresAt }}`, `2026-08-01T12:00:00Z`},
		"client":                  {`{{ .clientID }}`, `client-1`},
		"scopes":                  {`{{ .scopes }}`, `[a:read b:write]`},
		"root variable":           {`{{ $.token }}`, `CANARY-token`},
		"header by index":         {`{{ index .headers "x-api-key" }}`, `client-1`},
		"header by field":         {`{{ .headers.tenant_hash }}`, `h1`},
		"missing header by index": {`[{{ index .headers "x-none" }}]`, `[]`},
		"missing header by field": {`[{{ .headers.none }}]`, `[]`},
		"comment":                 {`a{{/* no */}}b`, `ab`},
		"trim markers":            {"a \n{{- .clientID -}}\n b", `aclient-1b`},
		"variable":                {`{{ $x := .clientID }}{{ $x }}/{{ $x = "y" }}{{ $x }}`, `client-1/y`},
		"if":                      {`{{ if .token }}yes{{ end }}`, `yes`},
		"if, else":                {`{{ if .headers.none }}yes{{ else }}no{{ end }}`, `no`},
		"if, else if":             {`{{ if .headers.none }}1{{ else if .token }}2{{ else }}3{{ end }}`, `2`},
		"with":                    {`{{ with .clientID }}<{{ . }}>{{ end }}`, `<client-1>`},
		"with, else":              {`{{ with .headers.none }}{{ . }}{{ else }}{{ .clientID }}{{ end }}`, `client-1`},
		"with, else with":         {`{{ with .headers.none }}{{ . }}{{ else with .clientID }}<{{ . }}>{{ end }}`, `<client-1>`},
		"with headers":            {`{{ with .headers }}{{ .tenant_hash }}{{ $.token }}{{ end }}`, `h1CANARY-token`},
		"with a variable":         {`{{ with $h := .headers }}{{ $h.tenant_hash }}{{ end }}`, `h1`},
		"pipe":                    {`{{ .clientID | upper | quote }}`, `"CLIENT-1"`},
		"parentheses":             {`{{ upper (lower (trim " X ")) }}`, `X`},
		"constants":               {`{{ "s" }}{{ 1 }}{{ true }}{{ 1.5 }}{{ 'a' }}`, `s1true1.597`},

		"index of a list": {`{{ index .scopes 1 }}`, `b:write`},
		"index beyond it": {`[{{ index .scopes 7 }}]`, `[]`},
		"len":             {`{{ len .scopes }}`, `2`},
		"and":             {`{{ and .token .clientID }}`, `client-1`},
		"or":              {`{{ or .headers.none .clientID }}`, `client-1`},
		"not":             {`{{ not .token }}`, `false`},
		"eq":              {`{{ eq .tokenType "x" "Bearer" }}`, `true`},
		"ne":              {`{{ ne .tokenType "Bearer" }}`, `false`},
		"lt":              {`{{ lt 1 2 }}`, `true`},
		"le":              {`{{ le 2 2 }}`, `true`},
		"gt":              {`{{ gt 1 2 }}`, `false`},
		"ge":              {`{{ ge 1 2 }}`, `false`},
		"b64enc":          {`{{ b64enc "a:b" }}`, `YTpi`},
		"toJson text":     {`{{ toJson "a\"<&>" }}`, `"a\"<&>"`},
		"toJson list":     {`{{ toJson .scopes }}`, `["a:read","b:write"]`},
		"toJson map":      {`{{ toJson .headers }}`, `{"authorization":"Bearer CANARY-token","tenant_hash":"h1","x-api-key":"client-1"}`},
		"toJson number":   {`{{ toJson 1 }}{{ toJson true }}`, `1true`},
		"quote":           {`{{ quote "a\"b" }}`, `"a\"b"`},
		"upper":           {`{{ upper "aB" }}`, `AB`},
		"lower":           {`{{ lower "aB" }}`, `ab`},
		"trim":            {`{{ trim " a b\n" }}`, `a b`},
		"replace":         {`{{ .clientID | replace "-" "_" }}`, `client_1`},
		"join":            {`{{ .scopes | join " " }}`, `a:read b:write`},
		"default, empty":  {`{{ .headers.none | default "d" }}`, `d`},
		"default, set":    {`{{ .clientID | default "d" }}`, `client-1`},
		"default, false":  {`{{ default 1 false }}`, `1`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, err := Compile(map[string]string{"key": tc.template})
			if err != nil {
				t.Fatal(err)
			}
			if err := set.Try(); err != nil {
				t.Errorf("Try: %v", err)
			}
			got, err := set.Render(sample)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string][]byte{"key": []byte(tc.want)}, got); diff != "" {
				t.Errorf("Render (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ template, want string }{
		"unknown field":               {`{{ .foo }}`, `.foo is unknown: use .token, .tokenType, .expiresAt, .clientID, .scopes, .headers`},
		"unknown field, not executed": {`{{ if false }}{{ .foo }}{{ end }}`, `.foo is unknown`},
		"unknown field of the root":   {`{{ with .token }}{{ $.foo }}{{ end }}`, `.foo is unknown`},
		"unknown field in else":       {`{{ with .token }}{{ else }}{{ .foo }}{{ end }}`, `.foo is unknown`},
		"unknown field as argument":   {`{{ upper .foo }}`, `.foo is unknown`},
		"unknown field, declared":     {`{{ $x := .foo }}`, `.foo is unknown`},
		"field of the token":          {`{{ .token.foo }}`, `.token has no field foo`},
		"field of a header":           {`{{ .headers.a.b }}`, `.headers has no field a`},
		"long field":                  {`{{ .` + strings.Repeat("f", 300) + ` }}`, `.fff`},
		"long unknown function":       {`{{ ` + strings.Repeat("f", 300) + ` }}`, `…`},
		"error in the second line":    {"a\n{{ `\n\x07` | html }}", `line 3`},
		"wrong case":                  {`{{ .Token }}`, `.Token is unknown`},
		"whole":                       {`{{ . }}`, `name one, such as .token`},
		"whole as argument":           {`{{ toJson . }}`, `name one`},
		"whole by variable":           {`{{ $x := . }}{{ $x.foo }}`, `name one`},
		"whole by root variable":      {`{{ with .token }}{{ $ }}{{ end }}`, `name one`},
		"whole by index":              {`{{ index . "foo" }}`, `name one`},
		"whole in parentheses":        {`{{ (.).foo }}`, `not allowed`},
		"field of parentheses":        {`{{ (index .headers "a").b }}`, `not allowed`},
		"nil":                         {`{{ eq nil .token }}`, `not allowed`},
		"range":                       {`{{ range .scopes }}{{ . }}{{ end }}`, `range is not allowed`},
		"range over a number":         {`{{ range 1000000000 }}x{{ end }}`, `range is not allowed`},
		"range in if":                 {`{{ if .token }}{{ range .scopes }}{{ . }}{{ end }}{{ end }}`, `range is not allowed`},
		"range in else":               {`{{ if .token }}{{ else }}{{ range .scopes }}{{ . }}{{ end }}{{ end }}`, `range is not allowed`},
		"range in with":               {`{{ with .token }}{{ range $.scopes }}{{ . }}{{ end }}{{ end }}`, `range is not allowed`},
		"break":                       {`{{ break }}`, `break`},
		"continue":                    {`{{ continue }}`, `continue`},
		"define":                      {`{{ define "x" }}{{ end }}`, `define and block are not allowed`},
		"define of the template":      {`{{ define "data-template" }}x{{ end }}`, `define and block are not allowed`},
		"define, recursive":           {`{{ define "x" }}{{ template "x" }}{{ end }}{{ template "x" }}`, `define and block are not allowed`},
		"template":                    {`{{ template "x" }}`, `template is not allowed`},
		"template, itself":            {`{{ template "data-template" }}`, `template is not allowed`},
		"block":                       {`{{ block "x" . }}{{ end }}`, `define and block are not allowed`},
		"html":                        {`{{ html .token }}`, `function "html" not defined`},
		"js":                          {`{{ js .token }}`, `function "js" not defined`},
		"print":                       {`{{ print .token }}`, `function "print" not defined`},
		"printf":                      {`{{ printf "%0999999999d" 1 }}`, `function "printf" not defined`},
		"println":                     {`{{ println .token }}`, `function "println" not defined`},
		"call":                        {`{{ call .token }}`, `function "call" not defined`},
		"slice":                       {`{{ slice .token 1 }}`, `function "slice" not defined`},
		"urlquery":                    {`{{ urlquery .token }}`, `function "urlquery" not defined`},
		"env":                         {`{{ env "HOME" }}`, `function "env" not defined`},
		"function in a pipe":          {`{{ .token | html }}`, `function "html" not defined`},
		"unclosed":                    {`a {{ .token`, `unclosed action`},
		"unclosed if":                 {`{{ if .token }}`, `unexpected EOF`},
		"unknown variable":            {`{{ $x }}`, `undefined variable`},
		"deep ifs":                    {strings.Repeat(`{{if 1}}`, 40) + strings.Repeat(`{{end}}`, 40), `nested deeper than 32`},
		"deep parentheses":            {`{{ ` + strings.Repeat(`(`, 40) + `1` + strings.Repeat(`)`, 40) + ` }}`, `nested deeper than 32`},
		"deep else-ifs":               {`{{if 1}}` + strings.Repeat(`{{else if 1}}`, 40) + `{{end}}`, `nested deeper than 32`},
		"very many parentheses":       {`{{ ` + strings.Repeat(`(`, 30000) + strings.Repeat(`)`, 30000) + ` }}`, `more than 1024`},
		"very many ifs":               {strings.Repeat(`{{if 1}}`, 5000), `more than 1024`},
		"too long":                    {strings.Repeat("x", 64<<10+1), `longer than 64 KiB`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, err := Compile(map[string]string{"my-key": tc.template})
			wantError(t, err, "my-key", tc.want)
			if set != nil {
				t.Error("a Set beside an error")
			}
		})
	}
}

func wantError(t *testing.T, err error, key, why string) {
	t.Helper()
	bad, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("error %v; want an *Error", err)
	}
	if bad.Key != key || !strings.Contains(bad.Why, why) || len(bad.Why) > 200 || strings.ContainsAny(bad.Why, "\n\r\t") {
		t.Errorf("error %q for key %q; want %q for %q, in one line of at most 200 bytes", bad.Why, bad.Key, why, key)
	}
	if !strings.Contains(err.Error(), key) {
		t.Errorf("error %q; want the key in it", err)
	}
}

func TestCompileKeys(t *testing.T) {
	t.Parallel()
	many := map[string]string{}
	for i := range 64 {
		many[fmt.Sprintf("key-%02d", i)] = "x"
	}
	if _, err := Compile(many); err != nil {
		t.Errorf("64 keys: %v", err)
	}
	many["key-64"] = "x"
	_, err := Compile(many)
	wantError(t, err, "key-64", "more than 64")

	for _, key := range []string{"", ".", "..", "a b", "a/b", "ü", "a\nb", strings.Repeat("a", 254), "token"} {
		if _, err := Compile(map[string]string{key: "x"}); err == nil {
			t.Errorf("key %q: no error", key)
		}
	}
	for _, key := range []string{"a", "A-b_c.d", "..x", strings.Repeat("a", 253), "Token"} {
		if _, err := Compile(map[string]string{key: "x"}); err != nil {
			t.Errorf("key %q: %v", key, err)
		}
	}
	_, err = Compile(map[string]string{
		"a": strings.Repeat("x", 60<<10), "b": strings.Repeat("x", 60<<10), "c": strings.Repeat("x", 60<<10), "d": strings.Repeat("x", 60<<10), "e": strings.Repeat("x", 60<<10),
	})
	wantError(t, err, "e", "together are longer than 256 KiB")
	for range 20 { // a map's order must not choose the message
		_, err = Compile(map[string]string{"b": "{{ .foo }}", "a": "{{ .bar }}", "c": "{{"})
		wantError(t, err, "a", ".bar is unknown")
	}
}

func TestEmptySets(t *testing.T) {
	t.Parallel()
	none, err := Compile(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, set := range map[string]*Set{"nil": nil, "zero": {}, "of no templates": none} {
		got, err := set.Render(sample)
		if err != nil || got == nil || len(got) != 0 || set.Try() != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestTryFindsWhatOnlyExecutionShows(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ template, want string }{
		"index below zero":     {`{{ index .scopes -1 }}`, `guard what may be missing with if or with: line 1:3: at <index .scopes -1>: error calling index: index takes .scopes`},
		"index of a text":      {`{{ index .token 0 }}`, `index takes .scopes`},
		"index by a wrong key": {`{{ index .headers 0 }}`, `index takes .scopes`},
		"only with a header":   {`{{ with index .headers "x-api-key" }}{{ .foo }}{{ end }}`, `can't evaluate field foo`},
		"only without one":     {`{{ if not (index .headers "x-api-key") }}{{ upper .scopes }}{{ end }}`, `wrong type`},
		"field of a text":      {`{{ with .token }}{{ .foo }}{{ end }}`, `can't evaluate field foo`},
		"wrong type":           {`{{ upper .scopes }}`, `wrong type`},
		"too few arguments":    {`{{ replace "a" .token }}`, `wrong number of args`},
		"compare lists":        {`{{ eq .scopes .scopes }}`, `non-comparable`},
		"amplified":            {`{{ $x := "` + strings.Repeat("a", 1000) + `" }}{{ $y := replace "a" $x $x }}`, `too much text`},
	} {
		set, err := Compile(map[string]string{"my-key": tc.template})
		if err != nil {
			t.Errorf("%s: Compile: %v", name, err)
			continue
		}
		t.Run(name, func(t *testing.T) { wantError(t, set.Try(), "my-key", tc.want) })
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	big := Values{Token: strings.Repeat("t", 200<<10)}
	double := `{{ $x := .token }}` + strings.Repeat(`{{ $x = replace "t" "tt" $x }}`, 30) + `{{ $x }}`
	long := Values{Scopes: make([]string, 300)}
	for i := range long.Scopes {
		long.Scopes[i] = strings.Repeat("s", 1024)
	}
	for name, tc := range map[string]struct {
		data map[string]string
		v    Values
		key  string
		want string
	}{
		"one output":            {map[string]string{"a": `{{ .token }}{{ .token }}`}, big, "a", "outputs together"},
		"two outputs":           {map[string]string{"a": `{{ .token }}`, "b": `{{ .token }}`}, big, "b", "outputs together"},
		"text counts":           {map[string]string{"a": `{{ .token }}`, "b": strings.Repeat("x", 60<<10)}, big, "b", "outputs together"},
		"replace that doubles":  {map[string]string{"a": double}, Values{Token: "t"}, "a", "too much text"},
		"replace of nothing":    {map[string]string{"a": `{{ replace "" "` + strings.Repeat("x", 1000) + `" .token }}`}, Values{Token: strings.Repeat("t", 1000)}, "a", "too much text"},
		"b64enc":                {map[string]string{"a": `{{ with b64enc .token }}x{{ end }}`}, big, "a", "too much text"},
		"quote":                 {map[string]string{"a": `{{ with quote .token }}x{{ end }}`}, Values{Token: strings.Repeat("\x00", 100<<10)}, "a", "too much text"},
		"toJson":                {map[string]string{"a": `{{ with toJson .token }}x{{ end }}`}, Values{Token: strings.Repeat("\x00", 100<<10)}, "a", "too much text"},
		"toJson of a long list": {map[string]string{"a": `{{ with toJson .scopes }}x{{ end }}`}, long, "a", "too much text"},
		"toJson of a long map":  {map[string]string{"a": `{{ with toJson .headers }}x{{ end }}`}, Values{Headers: map[string]string{"h": strings.Repeat("x", 300<<10)}}, "a", "too much text"},
		"join":                  {map[string]string{"a": `{{ with join "" .scopes }}x{{ end }}`}, long, "a", "too much text"},
		"work":                  {map[string]string{"a": strings.Repeat(`{{ with upper .token }}{{ end }}`, 100)}, big, "a", "too much text"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, err := Compile(tc.data)
			if err != nil {
				t.Fatal(err)
			}
			got, err := set.Render(tc.v)
			wantError(t, err, tc.key, tc.want)
			if got != nil {
				t.Error("outputs beside an error")
			}
		})
	}
	set, err := Compile(map[string]string{"a": `{{ .token }}`, "b": strings.Repeat("x", 56<<10)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := set.Render(big); err != nil {
		t.Errorf("exactly 256 KiB: %v", err)
	}
}

// The size of a result is known before it is made.
func TestReplaceSpendsNoMemory(t *testing.T) { // not parallel: it reads the process's counters
	set, err := Compile(map[string]string{"k": `{{ replace "" "` + strings.Repeat("x", 3000) + `" .token }}`})
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = set.Render(Values{Token: strings.Repeat("t", 50<<10)})
	runtime.ReadMemStats(&after)
	wantError(t, err, "k", "too much text")
	if spent := after.TotalAlloc - before.TotalAlloc; spent > 20<<20 {
		t.Errorf("%d MiB were allocated for a refusal", spent>>20)
	}
}

func TestErrorsHoldNoValues(t *testing.T) {
	t.Parallel()
	for _, source := range []string{
		`{{ eq .headers .headers }}`, `{{ eq .scopes .scopes }}`, `{{ index .scopes .token }}`, `{{ index .headers 1 }}`, `{{ len 3 }}`,
		`{{ lt .token 3 }}`, `{{ with .token }}{{ .foo }}{{ end }}`, `{{ join .headers .token }}`, `{{ index .token .token }}`, `{{ $x := .token }}{{ $x.foo }}`,
		`{{ toJson 1i }}`, `{{ not .token .token }}`, `{{ .token .token }}`, `{{ .token | .headers }}`, `{{ .headers.authorization .token }}`,
	} {
		set, err := Compile(map[string]string{"k": source})
		if err == nil {
			_, err = set.Render(sample)
		}
		if err == nil {
			t.Errorf("%s: no error", source)
		} else if strings.Contains(err.Error(), "CANARY") || strings.Contains(err.Error(), "a:read") {
			t.Errorf("%s: %v; it holds a value", source, err)
		}
	}
}

func TestValuesPrintRedacted(t *testing.T) {
	t.Parallel()
	encoded, err := json.Marshal(map[string]any{"v": sample, "p": &sample})
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "v", sample, "p", &sample)
	for _, text := range []string{
		fmt.Sprint(sample), fmt.Sprintf("%v %+v %#v %s %q %x %d", sample, sample, sample, sample, sample, sample, sample), fmt.Sprintf("%+v", &sample),
		fmt.Sprintf("%+v", struct{ V Values }{sample}), string(encoded), logged.String(),
	} {
		if strings.Contains(text, "CANARY") || strings.Contains(text, "client-1") || !strings.Contains(text, "REDACTED") {
			t.Errorf("printed %q", text)
		}
	}
}

func FuzzRender(f *testing.F) {
	for _, seed := range []string{
		`Bearer {{ .token }}`, `{{ range .scopes }}{{ end }}`, `{{ with .headers }}{{ .a | default "x" | replace "a" "b" }}{{ end }}`, `{{ $x := index .scopes 0 }}{{ toJson $x }}`,
		`{{ define "a" }}{{ end }}`, `{{ if and (eq .token "a") (gt (len .scopes) 1) }}{{ else if .clientID }}{{ end }}`, `{{- /* c */ -}}`, `{{ eq .headers .headers }}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		set, err := Compile(map[string]string{"k": source})
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Errorf("%v is no *Error", err)
			}
			return
		}
		_ = set.Try()
		outputs, err := set.Render(sample)
		if err != nil && strings.Contains(err.Error(), "CANARY") && !strings.Contains(source, "CANARY") {
			t.Errorf("%q: %v; it holds a value", source, err)
		}
		if len(outputs["k"]) > 256<<10 || strings.Contains(string(outputs["k"]), "<no value>") && !strings.Contains(source, "no value") {
			t.Errorf("%q: output %.100q", source, outputs["k"])
		}
	})
}
