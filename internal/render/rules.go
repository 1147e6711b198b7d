// SPDX-License-Identifier: Apache-2.0

package render

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A rule is the static side of a function: how it is written and what comes of which arguments.
type rule struct {
	usage string
	least int // arguments
	most  int
	apply func(name string, args []shape) (shape, error)
}

const anyNumber = 1 << 10

var rules = map[string]rule{
	"index":   {`index .headers "NAME", or index .scopes 0`, 2, 2, checkIndex},
	"len":     {`len .scopes`, 1, 1, checkLen},
	"and":     {`and A B`, 1, anyNumber, checkLogic},
	"or":      {`or A B`, 1, anyNumber, checkLogic},
	"not":     {`not A`, 1, 1, checkNot},
	"eq":      {`eq A B`, 2, anyNumber, checkComparison(kindText | kindNumber | kindBool)},
	"ne":      {`ne A B`, 2, 2, checkComparison(kindText | kindNumber | kindBool)},
	"lt":      {`lt A B`, 2, 2, checkComparison(kindText | kindNumber)},
	"le":      {`le A B`, 2, 2, checkComparison(kindText | kindNumber)},
	"gt":      {`gt A B`, 2, 2, checkComparison(kindText | kindNumber)},
	"ge":      {`ge A B`, 2, 2, checkComparison(kindText | kindNumber)},
	"b64enc":  {`b64enc TEXT`, 1, 1, checkText(base64.StdEncoding.EncodedLen)},
	"quote":   {`quote TEXT`, 1, 1, checkText(func(n int) int { return quoteGrowth*n + 2 })},
	"upper":   {`upper TEXT`, 1, 1, checkText(func(n int) int { return caseGrowth * n })},
	"lower":   {`lower TEXT`, 1, 1, checkText(func(n int) int { return caseGrowth * n })},
	"trim":    {`trim TEXT`, 1, 1, checkText(func(n int) int { return n })},
	"replace": {`replace "OLD" "NEW" TEXT`, 3, 3, checkReplace},
	"join":    {`join " " .scopes`, 2, 2, checkJoin},
	"toJson":  {`toJson VALUE`, 1, 1, checkJSON},
	"default": {`default "INSTEAD" VALUE`, 2, 2, checkDefault},
}

// functionNames are the functions of the language, as the parser wants them: the values only have to be there.
func functionNames() map[string]any {
	names := map[string]any{}
	for name := range rules {
		names[name] = true
	}
	return names
}

// decides is the refusal to make the output, the status and what else can be seen depend on a secret.
func decides(s shape) error {
	return fmt.Errorf("%s may be printed but not compared or used in a condition; write {{ %s }}", oneLine(s.secret), oneLine(s.secret))
}

func public(args []shape) error {
	for _, arg := range args {
		if arg.secret != "" {
			return decides(arg)
		}
	}
	return nil
}

func takes(name string, accepted kinds, args ...shape) error {
	for _, arg := range args {
		switch {
		case arg.kinds.within(accepted):
		case arg.kinds == kindList:
			return fmt.Errorf(`%s takes %s, not a list: write join " " .scopes to make it a string`, name, accepted)
		case arg.kinds == kindMap:
			return fmt.Errorf(`%s takes %s, not all headers: name one, such as index .headers "Authorization"`, name, accepted)
		default:
			return fmt.Errorf("%s takes %s, not %s", name, accepted, arg.kinds&^accepted)
		}
	}
	return nil
}

func checkIndex(name string, args []shape) (shape, error) {
	of, key := args[0], args[1]
	switch {
	case key.secret != "":
		return shape{}, fmt.Errorf("%s may be printed, but not be the key of an index", oneLine(key.secret))
	case of.kinds == kindMap && key.literal != nil:
		return header(fmt.Sprintf("index %s %q", of.secret, *key.literal)), nil
	case of.kinds == kindList && key.kinds == kindNumber:
		return shape{kinds: kindText, size: maxScope}, nil
	}
	return shape{}, errors.New(name + ` takes .headers and a name in quotes, such as index .headers "Authorization", or .scopes and a number from 0`)
}

func checkLen(name string, args []shape) (shape, error) {
	if err := public(args); err != nil {
		return shape{}, err
	}
	return shape{kinds: kindNumber, size: maxNumber}, takes(name, kindText|kindList, args...)
}

// checkLogic is for and and or, which give one of their arguments.
func checkLogic(_ string, args []shape) (shape, error) {
	result := args[0].computed()
	for _, arg := range args[1:] {
		result = result.or(arg)
	}
	return result, public(args)
}

func checkNot(_ string, args []shape) (shape, error) {
	return shape{kinds: kindBool, size: len("false")}, public(args)
}

// checkComparison refuses comparisons of what is never of the same type. Where it cannot know, they are false.
func checkComparison(accepted kinds) func(string, []shape) (shape, error) {
	return func(name string, args []shape) (shape, error) {
		if err := public(args); err != nil {
			return shape{}, err
		}
		if err := takes(name, accepted, args...); err != nil {
			return shape{}, err
		}
		for _, arg := range args[1:] {
			if arg.kinds&args[0].kinds == 0 {
				return shape{}, fmt.Errorf("%s compares %s with %s: make both the same type", name, args[0].kinds, arg.kinds)
			}
		}
		return shape{kinds: kindBool, size: len("false")}, nil
	}
}

// checkText is for the functions that make a text of a text.
func checkText(grown func(int) int) func(string, []shape) (shape, error) {
	return func(name string, args []shape) (shape, error) {
		return shape{kinds: kindText, size: grown(args[0].size)}.tainted(args...), takes(name, kindText, args...)
	}
}

func checkReplace(name string, args []shape) (shape, error) {
	if err := takes(name, kindText, args...); err != nil {
		return shape{}, err
	}
	old, replacement, in := args[0], args[1], args[2]
	result := shape{kinds: kindText}.tainted(args...)
	if result.secret != "" && !isMark(old.literal) {
		return shape{}, fmt.Errorf(`replace on %s takes one character in quotes that is no letter or digit, such as replace "-" "_" .token`, oneLine(result.secret))
	}
	if result.secret != "" && (replacement.literal == nil || utf8.RuneCountInString(*replacement.literal) > maxReplacement) {
		return shape{}, fmt.Errorf(`replace on %s puts at most %d characters in quotes in place of one, such as replace "-" "_" .token`, oneLine(result.secret), maxReplacement)
	}
	if old.literal != nil && *old.literal != "" {
		result.size = in.size + in.size/old.size*max(0, replacement.size-old.size)
	} else { // nothing is found between all characters
		result.size = in.size + (in.size+1)*replacement.size
	}
	return result, nil
}

// isMark reports whether a literal is one character that is no letter or digit, so that what it replaces tells next to nothing.
func isMark(literal *string) bool {
	return literal != nil && utf8.RuneCountInString(*literal) == 1 &&
		!strings.ContainsFunc(*literal, func(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) })
}

// checkJoin takes the list first or last, as templates are written both ways.
func checkJoin(_ string, args []shape) (shape, error) {
	separator, of := args[0], args[1]
	if separator.kinds == kindList {
		separator, of = of, separator
	}
	if separator.kinds != kindText || of.kinds != kindList {
		return shape{}, errors.New(`join takes a separator and a list, such as join " " .scopes`)
	}
	return shape{kinds: kindText, size: of.size + (maxScopes-1)*separator.size}.tainted(args...), nil
}

func checkJSON(_ string, args []shape) (shape, error) {
	of := args[0]
	size := jsonGrowth*of.size + 2
	switch of.kinds {
	case kindMap:
		size = maxHeadersJSON
	case kindList:
		size = of.size + 2*maxScopes + 2
	}
	return shape{kinds: kindText, size: size}.tainted(of), nil
}

// checkDefault lets a secret through in both places. That it may be empty is no way to read it: a token, a client ID and the
// headers of a provider are never empty, or always.
func checkDefault(_ string, args []shape) (shape, error) {
	return args[1].or(args[0]), nil
}
