// SPDX-License-Identifier: Apache-2.0

package render

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
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
		"assigned in a branch":    {`{{ $x := .token }}{{ if .scopes }}{{ $x = .clientID }}{{ end }}{{ $x }}`, `client-1`},
		"headers in a variable":   {`{{ $h := .headers }}{{ $h.tenant_hash }}`, `h1`},
		"headers in parentheses":  {`{{ (.headers).tenant_hash }}`, `h1`},
		"headers, whole":          {`{{ .headers }}`, `map[authorization:Bearer CANARY-token tenant_hash:h1 x-api-key:client-1]`},
		"literal in parentheses":  {`{{ index .headers ("x-api-key") }}`, `client-1`},
		"if":                      {`{{ if .scopes }}yes{{ end }}`, `yes`},
		"if, else":                {`{{ if not .scopes }}yes{{ else }}no{{ end }}`, `no`},
		"if, else if":             {`{{ if eq .tokenType "x" }}1{{ else if .scopes }}2{{ else }}3{{ end }}`, `2`},
		"with":                    {`{{ with .tokenType }}<{{ . }}>{{ end }}`, `<Bearer>`},
		"with, else":              {`{{ with "" }}{{ . }}{{ else }}{{ .clientID }}{{ end }}`, `client-1`},
		"with, else with":         {`{{ with "" }}{{ . }}{{ else with .expiresAt }}<{{ . }}>{{ end }}`, `<2026-08-01T12:00:00Z>`},
		"with a variable":         {`{{ with $s := .scopes }}{{ index $s 0 }}{{ $.token }}{{ end }}`, `a:readCANARY-token`},
		"secrets in a branch":     {`{{ if .scopes }}{{ .token }}{{ end }}`, `CANARY-token`},
		"pipe":                    {`{{ .clientID | upper | quote }}`, `"CLIENT-1"`},
		"parentheses":             {`{{ upper (lower (trim " X ")) }}`, `X`},
		"constants":               {`{{ "s" }}{{ 1 }}{{ true }}{{ 1.5 }}{{ 'a' }}`, `s1true1.597`},

		"index of a list":         {`{{ index .scopes 1 }}`, `b:write`},
		"index beyond it":         {`[{{ index .scopes 7 }}]`, `[]`},
		"index below it":          {`[{{ index .scopes -1 }}]`, `[]`},
		"len":                     {`{{ len .scopes }}`, `2`},
		"and":                     {`{{ and .scopes .tokenType }}`, `Bearer`},
		"or":                      {`{{ or "" .tokenType }}`, `Bearer`},
		"not":                     {`{{ not .tokenType }}`, `false`},
		"eq":                      {`{{ eq .tokenType "x" "Bearer" }}`, `true`},
		"ne":                      {`{{ ne .tokenType "Bearer" }}`, `false`},
		"lt":                      {`{{ lt 1 2 }}`, `true`},
		"le":                      {`{{ le 2 2 }}`, `true`},
		"gt":                      {`{{ gt 1 2 }}`, `false`},
		"ge":                      {`{{ ge 1 2 }}`, `false`},
		"eq, booleans":            {`{{ eq true (not "") }}{{ eq false true }}`, `truefalse`},
		"eq, numbers":             {`{{ eq 1 1.0 }}{{ eq (len .scopes) 2 }}`, `truetrue`},
		"lt, texts":               {`{{ lt "a" .tokenType }}{{ gt "a" .tokenType }}`, `falsetrue`},
		"eq, perhaps mixed":       {`{{ $x := .tokenType }}{{ if .scopes }}{{ $x = 1 }}{{ end }}{{ eq $x "1" }}{{ lt $x "2" }}{{ ne $x "1" }}`, `falsefalsetrue`},
		"b64enc":                  {`{{ b64enc "a:b" }}`, `YTpi`},
		"toJson text":             {`{{ toJson "a\"<&>" }}`, `"a\"<&>"`},
		"toJson list":             {`{{ toJson .scopes }}`, `["a:read","b:write"]`},
		"toJson map":              {`{{ toJson .headers }}`, `{"authorization":"Bearer CANARY-token","tenant_hash":"h1","x-api-key":"client-1"}`},
		"toJson number":           {`{{ toJson 1 }}{{ toJson true }}`, `1true`},
		"quote":                   {`{{ quote "a\"b" }}`, `"a\"b"`},
		"upper":                   {`{{ upper "aB" }}`, `AB`},
		"lower":                   {`{{ lower "aB" }}`, `ab`},
		"trim":                    {`{{ trim " a b\n" }}`, `a b`},
		"replace":                 {`{{ .clientID | replace "-" "_" }}`, `client_1`},
		"join":                    {`{{ .scopes | join " " }}`, `a:read b:write`},
		"replace, secret":         {`{{ replace "-" "--------" .token }}`, `CANARY--------token`},
		"join, list first":        {`{{ join .scopes "," }}`, `a:read,b:write`},
		"default, secret instead": {`{{ default .token "" }}`, `CANARY-token`},
		"default, empty":          {`{{ .headers.none | default "d" }}`, `d`},
		"default, set":            {`{{ .clientID | default "d" }}`, `client-1`},
		"default, false":          {`{{ default 1 false }}`, `1`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, err := Compile(map[string]string{"key": tc.template})
			if err != nil {
				t.Fatal(err)
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

// TestExamplesOfTheProvidersPageRender renders the examples of docs/providers.md, and refuses what it says to write in another way.
func TestExamplesOfTheProvidersPageRender(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/providers.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, ok := strings.Cut(string(page), "<!-- templates -->\n```yaml\n")
	block, _, closed := strings.Cut(block, "```")
	var example struct {
		Target struct {
			Data map[string]string `json:"data"`
		} `json:"target"`
	}
	if err := yaml.UnmarshalStrict([]byte(strings.Replace(block, "    name: etl-token\n", "", 1)), &example); err != nil || !ok || !closed {
		t.Fatal(err)
	}
	set, err := Compile(example.Target.Data)
	if err != nil {
		t.Fatal(err)
	}
	got, err := set.Render(sample)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]byte{
		"authorization": []byte("Bearer CANARY-token"),
		"basic":         []byte("Y2xpZW50LTE="),
		"netrc":         []byte("machine api.example.com\nlogin client-1\npassword CANARY-token\n"),
		"token.json":    []byte(`{"token": "CANARY-token", "scopes": ["a:read","b:write"], "expires": "2026-08-01T12:00:00Z"}` + "\n"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	rows := regexp.MustCompile("(?m)^\\| `(\\{\\{ .*?)` \\| (?:`(.*?)`)?").FindAllStringSubmatch(string(page), -1)
	if len(rows) != 4 {
		t.Errorf("%d templates to write in another way, want 4", len(rows))
	}
	for _, row := range rows {
		if _, err := Compile(map[string]string{"k": strings.Replace(row[1]+"{{ end }}", "{{ end }}{{ end }}", "{{ end }}", 1)}); err == nil {
			t.Errorf("%s: no error", row[1])
		}
		if _, err := Compile(map[string]string{"k": row[2]}); err != nil {
			t.Errorf("%s: %v", row[2], err)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ template, want string }{
		"unknown field":               {`{{ .foo }}`, `.foo is unknown: use .token, .tokenType, .expiresAt, .clientID, .scopes, .headers`},
		"unknown field, not executed": {`{{ if false }}{{ .foo }}{{ end }}`, `.foo is unknown`},
		"unknown field of the root":   {`{{ with .scopes }}{{ $.foo }}{{ end }}`, `.foo is unknown`},
		"unknown field in else":       {`{{ with .scopes }}{{ else }}{{ .foo }}{{ end }}`, `.foo is unknown`},
		"unknown field as argument":   {`{{ upper .foo }}`, `.foo is unknown`},
		"unknown field, declared":     {`{{ $x := .foo }}`, `.foo is unknown`},
		"field of the token":          {`{{ .token.foo }}`, `a text has no field foo`},
		"field of a header":           {`{{ .headers.a.b }}`, `a text has no field b`},
		"long field":                  {`{{ .` + strings.Repeat("f", 300) + ` }}`, `.fff`},
		"long unknown function":       {`{{ ` + strings.Repeat("f", 300) + ` }}`, `…`},
		"error in the second line":    {"a\n{{ `\n\x07` | html }}", `line 3`},
		"wrong case":                  {`{{ .Token }}`, `.Token is unknown`},
		"whole":                       {`{{ . }}`, `name one, such as .token`},
		"whole as argument":           {`{{ toJson . }}`, `name one`},
		"whole by variable":           {`{{ $x := . }}{{ $x.foo }}`, `name one`},
		"whole by root variable":      {`{{ with .scopes }}{{ $ }}{{ end }}`, `name one`},
		"whole by index":              {`{{ index . "foo" }}`, `name one`},
		"whole in parentheses":        {`{{ (.).foo }}`, `name one`},
		"field of parentheses":        {`{{ (index .headers "a").b }}`, `a text has no field b`},
		"dash in a field":             {`{{ .headers.x-api-key }}`, `for a name with a dash write index .headers "x-api-key"`},
		"nil":                         {`{{ eq nil .tokenType }}`, `not allowed`},
		"root declared":               {`{{ $ := .scopes }}{{ $.token }}`, `$ stands for all values`},
		"root assigned":               {`{{ $ = .scopes }}`, `$ stands for all values`},
		"declared in parentheses":     {`{{ and .scopes ($x := "a") }}{{ $x }}`, `inside parentheses`},
		"assigned in parentheses":     {`{{ $x := "a" }}{{ or .scopes ($x = .scopes) }}`, `inside parentheses`},
		"complex number":              {`{{ 1i }}`, `the number 1i is not allowed`},
		"huge number":                 {`{{ 9223372036854775808 }}`, `the number 9223372036854775808 is not allowed`},
		"function without arguments":  {`{{ upper }}`, `upper has 0 arguments: write upper TEXT`},
		"too few arguments":           {`{{ replace "a" .tokenType }}`, `replace has 2 arguments: write replace "OLD" "NEW" TEXT`},
		"too many arguments":          {`{{ .token | index .headers "a" }}`, `index has 3 arguments`},
		"a value as a function":       {`{{ .token "x" }}`, `.token is not a function`},
		"piped into a value":          {`{{ "x" | .headers }}`, `.headers is not a function`},
		"text of a list":              {`{{ upper .scopes }}`, `upper takes a text, not a list: write join " " .scopes`},
		"text of the headers":         {`{{ b64enc .headers }}`, `b64enc takes a text, not all headers: name one`},
		"text of a number":            {`{{ quote 1 }}`, `quote takes a text, not a number`},
		"text of what may be a list":  {`{{ $x := "a" }}{{ if .tokenType }}{{ $x = .scopes }}{{ end }}{{ upper $x }}`, `upper takes a text, not a list`},
		"field of a text":             {`{{ with .tokenType }}{{ .foo }}{{ end }}`, `a text has no field foo`},
		"field of a list":             {`{{ .scopes.foo }}`, `a list has no field foo`},
		"index of a text":             {`{{ index .tokenType 0 }}`, `index takes .headers and a name in quotes`},
		"index of a list by a text":   {`{{ index .scopes "a" }}`, `index takes .headers and a name in quotes`},
		"index by a number":           {`{{ index .headers 0 }}`, `index takes .headers and a name in quotes`},
		"index by a variable":         {`{{ $x := "a" }}{{ index .headers $x }}`, `index takes .headers and a name in quotes`},
		"index by the dot":            {`{{ with "a" }}{{ index $.headers . }}{{ end }}`, `index takes .headers and a name in quotes`},
		"len of a number":             {`{{ len 3 }}`, `len takes a text or a list, not a number`},
		"compare lists":               {`{{ eq .scopes .scopes }}`, `eq takes a text or a number or a boolean, not a list`},
		"compare types":               {`{{ eq .tokenType 1 }}`, `eq compares a text with a number`},
		"order booleans":              {`{{ lt true false }}`, `lt takes a text or a number, not a boolean`},
		"join of a text":              {`{{ join " " .tokenType }}`, `join takes a separator and a list`},
		"line":                        {"a\n\n{{ .foo }}", `line 3: .foo is unknown`},
		"line in a branch":            {"a\n{{ if .scopes }}\n{{ .foo }}{{ end }}", `line 3: .foo is unknown`},
		"range":                       {`{{ range .scopes }}{{ . }}{{ end }}`, `range is not allowed`},
		"range over a number":         {`{{ range 1000000000 }}x{{ end }}`, `range is not allowed`},
		"range in if":                 {`{{ if .scopes }}{{ range .scopes }}{{ . }}{{ end }}{{ end }}`, `range is not allowed`},
		"range in else":               {`{{ if .scopes }}{{ else }}{{ range .scopes }}{{ . }}{{ end }}{{ end }}`, `range is not allowed`},
		"range in with":               {`{{ with .scopes }}{{ range $.scopes }}{{ . }}{{ end }}{{ end }}`, `range is not allowed`},
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
		"too long":                    {strings.Repeat("x", 64<<10+1), `together are longer than 64 KiB`},
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
	_, err = Compile(map[string]string{"a": strings.Repeat("x", 40<<10), "b": strings.Repeat("x", 24<<10), "c": "x"})
	wantError(t, err, "c", "together are longer than 64 KiB")
	for range 20 { // a map's order must not choose the message
		_, err = Compile(map[string]string{"b": "{{ .foo }}", "a": "{{ .bar }}", "c": "{{"})
		wantError(t, err, "a", ".bar is unknown")
	}
}

func TestEmptySetsRenderNothing(t *testing.T) {
	t.Parallel()
	none, err := Compile(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, set := range map[string]*Set{"nil": nil, "zero": {}, "of no templates": none} {
		got, err := set.Render(sample)
		if err != nil || got == nil || len(got) != 0 {
			t.Errorf("%s: %v, %v", name, got, err)
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
