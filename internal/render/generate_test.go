// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"strings"
)

// A generator writes a template by the bytes of a recipe. It knows the grammar and, mostly, the types, so that many templates pass
// the check and the rest is refused for an interesting reason. An empty recipe gives the shortest choice everywhere.
type generator struct{ recipe []byte }

func generate(recipe []byte) string {
	g := &generator{recipe}
	return `{{ $a := "" }}{{ $b := .clientID }}{{ $c := .scopes }}` + g.statements(3)
}

func (g *generator) next(n int) int {
	if len(g.recipe) == 0 {
		return 0
	}
	choice := int(g.recipe[0]) % n
	g.recipe = g.recipe[1:]
	return choice
}

func (g *generator) of(choices ...string) string { return choices[g.next(len(choices))] }

func (g *generator) statements(depth int) string {
	var text strings.Builder
	for range 1 + g.next(4) {
		text.WriteString(g.statement(depth))
	}
	return text.String()
}

func (g *generator) statement(depth int) string {
	if depth == 0 {
		return g.of("x", "{{ .token }}", "{{ $a }}", "{{ . }}")
	}
	switch g.next(10) {
	case 9: // a variable that one branch changes, and a condition on it
		return fmt.Sprintf("{{ if %s }}{{ $a = %s }}{{ else }}%s{{ end }}{{ if $a }}x{{ end }}", g.of(".scopes", "not .scopes"), g.text(1), g.of("", "{{ $a = .tokenType }}"))
	case 0:
		return g.of("x", "\n", "é")
	case 1:
		return "{{ " + g.any(3) + " }}"
	case 2:
		return "{{ " + g.text(2) + " }}"
	case 3:
		return fmt.Sprintf("{{ %s = %s }}", g.of("$a", "$b", "$c"), g.any(3))
	case 4:
		return fmt.Sprintf("{{ %s := %s }}", g.of("$a", "$b", "$c"), g.any(3))
	case 5:
		return fmt.Sprintf("{{ if %s }}%s{{ end }}", g.any(3), g.statements(depth-1))
	case 6:
		return fmt.Sprintf("{{ if %s }}%s{{ else }}%s{{ end }}", g.condition(3), g.statements(depth-1), g.statements(depth-1))
	case 7:
		return fmt.Sprintf("{{ with %s%s }}%s{{ else with %s }}%s{{ end }}", g.of("", "$a := "), g.any(2), g.statements(depth-1), g.public(2), g.statements(depth-1))
	default:
		return fmt.Sprintf("{{ %s | %s | %s }}", g.any(2), g.of("trim", "b64enc", "eq true", `replace "-" "+++"`), g.of("quote", "toJson", `default "d"`))
	}
}

// any is a value of any type, in parentheses where it needs them.
func (g *generator) any(depth int) string {
	switch g.next(8) {
	case 0, 1:
		return g.text(depth)
	case 2:
		return g.condition(depth)
	case 3:
		return g.number(depth)
	case 4:
		return g.of(".scopes", "$c")
	case 5:
		return g.of(".headers", "$b", "$a", ".")
	default:
		return g.public(depth)
	}
}

func (g *generator) literal() string {
	return g.of(`"-"`, `""`, `"a"`, `"Bearer"`, `"Authorization"`, `"x-api-key"`, `"\""`, `"m~"`, "`\\`", `"ü"`, `"--------"`)
}

func (g *generator) text(depth int) string {
	if depth == 0 || g.next(2) == 0 {
		return g.of(".token", ".clientID", "$.token", "$b", ".headers.Authorization", ".headers.none", `(index .headers "x-api-key")`, "(.headers).tenant")
	}
	switch g.next(7) {
	case 0, 1:
		return fmt.Sprintf("(%s %s)", g.of("trim", "upper", "lower", "quote", "b64enc", "toJson"), g.text(depth-1))
	case 2:
		return fmt.Sprintf("(replace %s %s %s)", g.literal(), g.literal(), g.text(depth-1))
	case 3:
		return fmt.Sprintf("(default %s %s)", g.any(depth-1), g.text(depth-1))
	case 4:
		return fmt.Sprintf("(join %s %s)", g.public(depth-1), g.any(depth-1))
	case 5:
		return fmt.Sprintf("(index %s %s)", g.any(depth-1), g.any(depth-1))
	default:
		return g.public(depth)
	}
}

// public is what is not secret, unless a variable is.
func (g *generator) public(depth int) string {
	if depth == 0 || g.next(2) == 0 {
		return g.of(".tokenType", ".expiresAt", "$.tokenType", "$a", `(index .scopes 0)`, g.literal())
	}
	switch g.next(6) {
	case 0:
		return fmt.Sprintf("(%s %s)", g.of("trim", "upper", "lower", "quote", "b64enc", "toJson"), g.public(depth-1))
	case 1:
		return fmt.Sprintf("(replace %s %s %s)", g.public(depth-1), g.public(depth-1), g.public(depth-1))
	case 2:
		return fmt.Sprintf("(%s %s %s)", g.of("or", "and", "default"), g.any(depth-1), g.public(depth-1))
	case 3:
		return fmt.Sprintf("(join %s .scopes)", g.public(depth-1))
	case 4:
		return fmt.Sprintf("(index .scopes %s)", g.number(depth-1))
	default:
		return g.number(depth)
	}
}

func (g *generator) condition(depth int) string {
	if depth == 0 {
		return g.of(".scopes", "true", "false")
	}
	switch g.next(3) {
	case 0:
		return fmt.Sprintf("(not %s)", g.any(depth-1))
	case 1:
		return fmt.Sprintf("(%s %s %s)", g.of("eq", "ne", "lt", "le", "gt", "ge"), g.public(depth-1), g.public(depth-1))
	default:
		return fmt.Sprintf("(%s %s %s)", g.of("eq", "lt", "and", "or"), g.any(depth-1), g.any(depth-1))
	}
}

func (g *generator) number(depth int) string {
	if depth > 0 && g.next(2) == 0 {
		return fmt.Sprintf("(len %s)", g.any(depth-1))
	}
	return g.of("0", "1", "-1", "1.5", "'a'", "0x7fffffffffffffff", "1e300")
}
