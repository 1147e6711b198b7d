// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"text/template"
	"text/template/parse"
)

// TestGeneratedTemplatesKeepThePromises tries templates that the grammar gives, many of which pass.
func TestGeneratedTemplatesKeepThePromises(t *testing.T) {
	t.Parallel()
	chance := rand.New(rand.NewPCG(1, 2)) // the same templates each time
	passed, secret := 0, 0
	for range 4000 {
		recipe := make([]byte, 60)
		for i := range recipe {
			recipe[i] = byte(chance.Uint32())
		}
		source := generate(recipe)
		output, ok := tryTemplate(t, source)
		if ok {
			passed++
		}
		if output.secret != "" {
			secret++
		}
	}
	t.Logf("%d passed, %d of them print a secret", passed, secret)
	if passed < 400 || secret < 200 || passed-secret < 50 {
		t.Errorf("%d passed, %d of them print a secret: too few to say anything", passed, secret)
	}
}

// FuzzTemplateCheck: a template that passes never fails, never gets larger than the check says, and never branches on a secret.
func FuzzTemplateCheck(f *testing.F) {
	for _, seed := range []string{
		`Bearer {{ .token }}`, `{{ range .scopes }}{{ end }}`, `{{ .headers.a | default "x" | replace "-" "b" }}`, `{{ $x := index .scopes 0 }}{{ toJson $x }}`,
		`{{ define "a" }}{{ end }}`, `{{ if and (eq .tokenType "a") (gt (len .scopes) 1) }}{{ else if .expiresAt }}{{ end }}`, `{{- /* c */ -}}`,
		`{{ $x := .token }}{{ if .scopes }}{{ $x = "" }}{{ end }}{{ if $x }}y{{ end }}`, `{{ with $x := .tokenType }}{{ $x }}{{ . }}{{ end }}`, `{{ eq 1 1.5 'a' 0x1p-2 }}`,
	} {
		f.Add(seed, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, source string, recipe []byte) {
		tryTemplate(t, source)
		tryTemplate(t, generate(recipe))
	})
}

// tryTemplate renders a template, if it passes the check, in several worlds, and returns the shape of its output.
func tryTemplate(t *testing.T, source string) (shape, bool) {
	t.Helper()
	var c checker
	tree, output, err := c.check(source)
	set, setErr := Compile(map[string]string{"k": source})
	if strings.Contains(source, "⟦") { // what marks branches below
		return shape{}, false
	}
	if err != nil || setErr != nil {
		if bad, ok := errors.AsType[*Error](setErr); !ok || len(bad.Why) > maxWhy || strings.ContainsAny(bad.Why, "\r\n") {
			t.Errorf("%q: refused by %v", source, setErr)
		}
		return shape{}, false
	}
	marked := mark(t, tree)
	for _, public := range publicWorlds {
		var first, firstWay string
		for i, secret := range secretsFor(source) {
			v := secret.in(public)
			rendered, err := set.Render(v)
			if err != nil {
				t.Fatalf("%q: %v", source, err)
			}
			text := string(rendered["k"])
			if len(text) > output.size {
				t.Fatalf("%q: %d bytes, and the check says %d at most", source, len(text), output.size)
			}
			if strings.Contains(text, "<no value>") && !strings.Contains(source, "no value") {
				t.Fatalf("%q: a value is missing in %.200q", source, text)
			}
			way := wayThrough(t, marked, v)
			if i == 0 {
				first, firstWay = text, way
			}
			if way != firstWay {
				t.Fatalf("%q: the branches %s and %s are taken, by the secret", source, firstWay, way)
			}
			if output.secret == "" && text != first {
				t.Fatalf("%q: prints %.200q or %.200q, by the secret", source, first, text)
			}
		}
	}
	return output, true
}

// mark returns the template with a mark at the beginning of each branch.
func mark(t *testing.T, tree *parse.Tree) *template.Template {
	t.Helper()
	branches := 0
	var walk func(list *parse.ListNode)
	enter := func(list *parse.ListNode) *parse.ListNode {
		if list == nil {
			list = &parse.ListNode{NodeType: parse.NodeList}
		}
		walk(list)
		branches++
		text := &parse.TextNode{NodeType: parse.NodeText, Text: fmt.Appendf(nil, "⟦%d⟧", branches)}
		list.Nodes = append([]parse.Node{text}, list.Nodes...)
		return list
	}
	walk = func(list *parse.ListNode) {
		for _, node := range list.Nodes {
			switch n := node.(type) {
			case *parse.IfNode:
				n.List, n.ElseList = enter(n.List), enter(n.ElseList)
			case *parse.WithNode:
				n.List, n.ElseList = enter(n.List), enter(n.ElseList)
			}
		}
	}
	walk(tree.Root)
	marked, err := template.New(templateName).Funcs(functions).Option("missingkey=zero").AddParseTree(templateName, tree)
	if err != nil {
		t.Fatal(err)
	}
	return marked
}

var marks = regexp.MustCompile(`⟦\d+⟧`)

func wayThrough(t *testing.T, marked *template.Template, v Values) string {
	t.Helper()
	var output strings.Builder
	if err := marked.Execute(&output, v.top()); err != nil {
		t.Fatal(err)
	}
	return strings.Join(marks.FindAllString(output.String(), -1), "")
}

var publicWorlds = []Values{
	{TokenType: "Bearer", ExpiresAt: "2026-08-01T12:00:00Z", Scopes: []string{"a:read", "b:write"}},
	{TokenType: "JWT"},
	{TokenType: strings.Repeat("\xff", 32), ExpiresAt: "a", Scopes: strings.Split(strings.Repeat(strings.Repeat("s", 256)+" ", 99)+"~", " ")},
}

// A secretWorld is what the rest of the values is made of.
type secretWorld struct{ token, client string }

func (w secretWorld) in(v Values) Values {
	v.Token, v.ClientID = w.token, w.client
	v.Headers = map[string]string{"Authorization": w.token, "x-api-key": w.token, "x-gw-ims-org-id": strings.Repeat(`"`, 256), "x-sandbox-name": strings.Repeat(`"`, 256)}
	return v
}

// secretsFor are worlds that a template could tell apart: some have a secret that it names, some are as large as can be.
func secretsFor(source string) []secretWorld {
	worlds := []secretWorld{
		{"aaaaaaaa", "aaaaaaaa"}, {"", ""}, {"zzzzzzzz", "zzzzzzzz"}, {"--------", "- -_ -- "}, {`"\"\"\-0`, "\x00\xff\n\tÿ\u2028"}, {"0", "false"}, {"~", " "},
		{"Bearer", "Bearer"}, {"YWFh", "<no>"},
		{strings.Repeat(`"`, MaxSecret), strings.Repeat("\xff", MaxSecret)}, {strings.Repeat("-", MaxSecret), strings.Repeat("\u023a", MaxSecret/2)},
	}
	for _, literal := range literals.FindAllString(source, 3) {
		literal = literal[1 : len(literal)-1]
		if literal != "" && len(literal) <= MaxSecret {
			worlds = append(worlds, secretWorld{literal, literal}, secretWorld{strings.Repeat(literal, MaxSecret/len(literal)), "x"})
		}
	}
	return worlds
}

var literals = regexp.MustCompile(`"[^"]*"`)
