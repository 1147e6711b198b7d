// SPDX-License-Identifier: Apache-2.0

package render

import (
	"strings"
	"testing"
)

// TestSecretsDecideNothing: a secret may be printed, and be neither condition nor comparison nor key, however it gets there.
func TestSecretsDecideNothing(t *testing.T) {
	t.Parallel()
	const token = `.token may be printed but not compared or used in a condition; write {{ .token }}`
	tests := map[string]struct{ template, want string }{
		"if":                           {`{{ if .token }}x{{ end }}`, token},
		"if, of the root":              {`{{ if $.token }}x{{ end }}`, token},
		"else if":                      {`{{ if .scopes }}{{ else if .token }}x{{ end }}`, token},
		"with":                         {`{{ with .token }}{{ . }}{{ end }}`, token},
		"else with":                    {`{{ with .scopes }}{{ else with .token }}{{ . }}{{ end }}`, token},
		"client ID":                    {`{{ if .clientID }}x{{ end }}`, `write {{ .clientID }}`},
		"headers":                      {`{{ if .headers }}x{{ end }}`, `write {{ .headers }}`},
		"a header":                     {`{{ if .headers.Authorization }}x{{ end }}`, `write {{ .headers.Authorization }}`},
		"a header by index":            {`{{ with index .headers "x-api-key" }}x{{ end }}`, `write {{ index .headers "x-api-key" }}`},
		"a header that nobody has":     {`{{ if .headers.none }}x{{ end }}`, `.headers.none may be printed`},
		"eq":                           {`{{ eq .token "x" }}`, token},
		"eq, second":                   {`{{ eq "x" .tokenType .token }}`, token},
		"ne":                           {`{{ ne "x" .token }}`, token},
		"lt":                           {`{{ lt .token "m" }}`, token},
		"le":                           {`{{ le .token "m" }}`, token},
		"gt":                           {`{{ gt "m" .token }}`, token},
		"ge":                           {`{{ ge "m" .token }}`, token},
		"and":                          {`{{ and .token "x" }}`, token},
		"and, last":                    {`{{ and "x" .token }}`, token},
		"or":                           {`{{ or "" .token }}`, token},
		"or, alone":                    {`{{ or .token }}`, token},
		"not":                          {`{{ not .token }}`, token},
		"len":                          {`{{ len .token }}`, token},
		"len of the headers":           {`{{ len .headers }}`, `.headers may be printed`},
		"key of the headers":           {`{{ index .headers .token }}`, `.token may be printed, but not be the key of an index`},
		"key of a list":                {`{{ index .scopes .token }}`, `.token may be printed, but not be the key of an index`},
		"piped":                        {`{{ .token | eq "x" }}`, token},
		"piped through functions":      {`{{ .token | trim | upper | b64enc | eq "x" }}`, token},
		"in parentheses":               {`{{ if (((.token))) }}x{{ end }}`, token},
		"quoted":                       {`{{ if quote .token }}x{{ end }}`, token},
		"in JSON":                      {`{{ if eq (toJson .headers) "{}" }}x{{ end }}`, `.headers may be printed`},
		"lower":                        {`{{ if lower .token }}x{{ end }}`, token},
		"replaced":                     {`{{ if replace "-" "" .token }}x{{ end }}`, token},
		"as a separator":               {`{{ if join .token .scopes }}x{{ end }}`, `too much text`},
		"default":                      {`{{ if default "" .token }}x{{ end }}`, token},
		"default, instead":             {`{{ if default .token .tokenType }}x{{ end }}`, token},
		"variable":                     {`{{ $x := .token }}{{ if $x }}x{{ end }}`, token},
		"variable of a variable":       {`{{ $x := .token }}{{ $y := upper $x }}{{ eq $y "A" }}`, token},
		"variable, assigned":           {`{{ $x := "" }}{{ $x = .token }}{{ if $x }}x{{ end }}`, token},
		"variable, in a branch":        {`{{ $x := "" }}{{ if .scopes }}{{ $x = .token }}{{ end }}{{ if $x }}x{{ end }}`, token},
		"variable, in an else":         {`{{ $x := "" }}{{ if .scopes }}{{ else }}{{ $x = .token }}{{ end }}{{ if $x }}x{{ end }}`, token},
		"variable, in inner branches":  {`{{ $x := "" }}{{ if .scopes }}{{ with .tokenType }}{{ $x = $.token }}{{ end }}{{ end }}{{ if $x }}x{{ end }}`, token},
		"variable, one branch cleans":  {`{{ $x := .token }}{{ if .scopes }}{{ $x = "" }}{{ end }}{{ if $x }}x{{ end }}`, token},
		"variable, shadowed":           {`{{ $x := .token }}{{ if .scopes }}{{ $x := "" }}{{ end }}{{ if $x }}x{{ end }}`, token},
		"variable of the headers":      {`{{ $h := .headers }}{{ if $h.Authorization }}x{{ end }}`, `write {{ .headers.Authorization }}`},
		"headers in parentheses":       {`{{ if (.headers).Authorization }}x{{ end }}`, `write {{ .headers.Authorization }}`},
		"variable of a condition":      {`{{ if $x := .token }}{{ $x }}{{ end }}`, token},
		"dot of a with that is secret": {`{{ with $x := .headers }}{{ . }}{{ end }}`, `.headers may be printed`},
		"in a branch never taken":      {`{{ if false }}{{ if .token }}x{{ end }}{{ end }}`, token},

		"replace, a letter":           {`{{ replace "a" "" .token }}`, `takes one character in quotes that is no letter or digit, such as replace "-" "_" .token`},
		"replace, a digit":            {`{{ replace "7" "" .token }}`, `no letter or digit`},
		"replace, a foreign letter":   {`{{ replace "é" "" .token }}`, `no letter or digit`},
		"replace, two characters":     {`{{ replace "--" "" .token }}`, `takes one character`},
		"replace, nothing":            {`{{ replace "" "-" .token }}`, `takes one character`},
		"replace, a value":            {`{{ replace .tokenType "" .token }}`, `takes one character in quotes`},
		"replace, a variable":         {`{{ $x := "-" }}{{ replace $x "" .token }}`, `takes one character in quotes`},
		"replace, computed":           {`{{ replace (trim "-") "" .token }}`, `takes one character in quotes`},
		"replace by too much":         {`{{ replace "-" "123456789" .token }}`, `puts at most 8 characters in quotes`},
		"replace by a value":          {`{{ replace "-" .tokenType .token }}`, `puts at most 8 characters in quotes`},
		"replace by a secret":         {`{{ replace "-" .token .tokenType }}`, `replace on .token puts at most 8 characters in quotes`},
		"replace a secret elsewhere":  {`{{ replace .token "x" .tokenType }}`, `replace on .token takes one character in quotes`},
		"replace on what is computed": {`{{ replace "e" "" (b64enc .clientID) }}`, `replace on .clientID takes one character in quotes`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Compile(map[string]string{"my-key": tc.template})
			wantError(t, err, "my-key", tc.want)
		})
	}
}

// TestSecretsMayBePrinted: what the contract lets through.
func TestSecretsMayBePrinted(t *testing.T) {
	t.Parallel()
	for _, template := range []string{
		`{{ .token }}`, `Bearer {{ .token }}`, `{{ .headers }}`, `{{ toJson .headers }}`, `{{ .headers.Authorization }}`, `{{ index .headers "x-api-key" }}`,
		`{{ $x := .token }}{{ $x }}`, `{{ (.token) }}`, `{{ b64enc .token }}`, `{{ toJson .token }}`, `{{ quote .token }}`, `{{ upper .token }}`,
		`{{ lower .token }}`, `{{ trim .token }}`, `{{ replace "-" "_" .token }}`, `{{ replace "é" "e" .tokenType }}`, `{{ replace "+" "12345678" .token }}`,
		`{{ default "x" .token }}`, `{{ default .clientID .tokenType }}`, `{{ .headers.none | default "none" }}`,
		`{{ b64enc (toJson .headers) }}`, `{{ if .scopes }}{{ .token }}{{ else }}{{ .clientID }}{{ end }}`, `{{ with .scopes }}{{ $.token | b64enc }}{{ end }}`,
		`{{ $x := .token }}{{ if .scopes }}{{ $x = .clientID }}{{ end }}{{ $x | quote }}`, `{{ $x := .token }}{{ $x = .tokenType }}{{ if $x }}x{{ end }}`,
		`{"token": {{ toJson .token }}, "scopes": {{ toJson .scopes }}, "expires": {{ toJson .expiresAt }}}`,
		"[client]\nid={{ .clientID }}\n{{ if eq .tokenType \"Bearer\" }}bearer={{ .token }}\n{{ end }}scopes={{ join \",\" .scopes }}\n",
	} {
		if _, err := Compile(map[string]string{"my-key": template}); err != nil {
			t.Errorf("%s: %v", template, err)
		}
	}
}

// TestFailsBeforeAnyValue: templates that worked with placeholders and failed only with some real values. Their keys were then
// written empty, and nobody was told.
func TestFailsBeforeAnyValue(t *testing.T) {
	t.Parallel()
	for name, template := range map[string]string{
		"only if a branch is taken": `{{ if eq .tokenType "JWT" }}{{ upper .scopes }}{{ end }}`,
		"only with many scopes":     `{{ if gt (len .scopes) 3 }}{{ eq 1 "x" }}{{ end }}`,
		"only with a long token":    strings.Repeat(`{{ .token }}`, 17),
		"only with a strange token": strings.Repeat(`{{ quote .token }}`, 4),
		"only with an expiry":       `{{ if eq .expiresAt "" }}{{ .tokenType.foo }}{{ end }}`,
		"only with an odd variable": `{{ $x := "" }}{{ if eq .tokenType "JWT" }}{{ $x = .scopes }}{{ end }}{{ lower $x }}`,
	} {
		if _, err := Compile(map[string]string{"my-key": template}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestCompileBoundsSizes: a secret counts as 16 KiB and a function as its worst growth, whatever the values will be.
func TestCompileBoundsSizes(t *testing.T) {
	t.Parallel()
	const outputs, functions = "the outputs together can be larger than 256 KiB", "the functions can produce too much text"
	times := func(n int, template string) map[string]string {
		return map[string]string{"a": strings.Repeat(template, n)}
	}
	tests := map[string]struct {
		data map[string]string
		want string // empty: nothing is wrong
	}{
		"sixteen secrets":          {times(16, `{{ .token }}`), ""},
		"and a byte":               {map[string]string{"a": strings.Repeat(`{{ .token }}`, 16) + "x"}, outputs},
		"seventeen":                {times(17, `{{ .clientID }}`), outputs},
		"over two keys":            {map[string]string{"a": strings.Repeat(`{{ .token }}`, 8), "b": strings.Repeat(`{{ .headers.x }}`, 9)}, outputs},
		"of two branches the more": {times(16, `{{ if .scopes }}{{ .token }}{{ else }}{{ .clientID }}{{ end }}`), ""},
		"both branches":            {times(17, `{{ if .scopes }}x{{ else }}{{ .clientID }}{{ end }}`), outputs},
		"b64enc":                   {times(11, `{{ b64enc .token }}`), ""},
		"b64enc, more":             {times(12, `{{ b64enc .token }}`), outputs},
		"quote":                    {times(3, `{{ quote .token }}`), ""},
		"quote, more":              {times(4, `{{ quote .token }}`), outputs},
		"toJson":                   {times(2, `{{ toJson .token }}`), ""},
		"toJson, more":             {times(3, `{{ toJson .token }}`), outputs},
		"upper":                    {times(5, `{{ upper .token }}`), ""},
		"upper, more":              {times(6, `{{ upper .token }}`), outputs},
		"lower, more":              {times(6, `{{ lower .token }}`), outputs},
		"trim":                     {times(16, `{{ trim .token }}`), ""},
		"replace":                  {times(16, `{{ replace "-" "_" .token }}`), ""},
		"replace by eight":         {times(2, `{{ replace "-" "12345678" .token }}`), ""},
		"replace by eight, more":   {times(3, `{{ replace "-" "12345678" .token }}`), outputs},
		"headers as JSON":          {times(2, `{{ toJson .headers }}`), ""},
		"headers as JSON, more":    {times(3, `{{ toJson .headers }}`), outputs},
		"scopes":                   {map[string]string{"a": `{{ join "," .scopes }}{{ .scopes }}{{ toJson .scopes }}`, "b": strings.Repeat(`{{ .token }}`, 11)}, ""},
		"headers":                  {times(8, `{{ .headers }}`), outputs},
		"joined by a secret":       {times(1, `{{ join .token .scopes }}`), functions},
		"default takes the larger": {times(3, `{{ default (quote .token) .token }}`), ""},
		"default, more":            {times(4, `{{ default (quote .token) .token }}`), outputs},
		"nested":                   {times(1, `{{ quote (quote (quote .token)) }}`), functions},
		"nested, not printed":      {times(1, `{{ $x := .token | quote | quote | quote }}`), functions},
		"doubled again and again":  {times(1, `{{ $x := .tokenType }}`+strings.Repeat(`{{ $x = replace "t" "tt" $x }}`, 30)), functions},
		"between all characters":   {times(1, `{{ replace "" "`+strings.Repeat("x", 5000)+`" .tokenType }}`), functions},
		"by an unknown text":       {times(1, `{{ $x := "`+strings.Repeat("x", 5000)+`" }}{{ replace .tokenType $x .expiresAt }}`), functions},
		"much work":                {times(1, `{{ $x := trim .token`+strings.Repeat(`|trim`, 511)+` }}`), ""},
		"too much work":            {times(1, `{{ $x := trim .token`+strings.Repeat(`|trim`, 512)+` }}`), functions},
		"work over two keys":       {map[string]string{"a": `{{ $x := trim .token` + strings.Repeat(`|trim`, 300) + ` }}`, "b": `{{ $x := trim .token` + strings.Repeat(`|trim`, 300) + ` }}`}, functions},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Compile(tc.data)
			switch {
			case tc.want == "" && err != nil:
				t.Error(err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}
