// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"strings"
	"text/template/parse"
)

// pipe returns the shape of a pipeline's value, and declares or assigns the variable in front of it.
func (c *checker) pipe(pipe *parse.PipeNode, dot shape, depth int) (shape, error) {
	if depth > maxDepth {
		return shape{}, errDepth
	}
	var value shape
	var piped []shape
	for _, command := range pipe.Cmds {
		var err error
		if value, err = c.command(command, piped, dot, depth); err != nil {
			return shape{}, err
		}
		piped = []shape{value}
	}
	return value, c.assign(pipe, value.computed())
}

func (c *checker) assign(pipe *parse.PipeNode, value shape) error {
	for _, target := range pipe.Decl {
		name := target.Ident[0]
		switch {
		case name == "$":
			return errors.New("$ stands for all values here: give the variable a name, such as $x")
		case !pipe.IsAssign:
			c.variables = append(c.variables, variable{name, value})
		default:
			c.variable(name).shape = value
		}
	}
	return nil
}

// variable finds the innermost one of that name. The parser has refused undefined ones.
func (c *checker) variable(name string) *variable {
	i := len(c.variables) - 1
	for c.variables[i].name != name {
		i--
	}
	return &c.variables[i]
}

// command returns the shape of one command of a pipeline. piped is the value of the command before it, if there is one.
func (c *checker) command(command *parse.CommandNode, piped []shape, dot shape, depth int) (shape, error) {
	first := command.Args[0]
	function, ok := first.(*parse.IdentifierNode)
	if !ok {
		if len(command.Args) > 1 || len(piped) > 0 {
			return shape{}, fmt.Errorf("%s is not a function: it takes no arguments", oneLine(firstWord(first)))
		}
		return c.operand(first, dot, depth)
	}
	var args []shape
	for _, arg := range command.Args[1:] {
		value, err := c.operand(arg, dot, depth)
		if err != nil {
			return shape{}, err
		}
		args = append(args, value)
	}
	return c.call(function.Ident, append(args, piped...))
}

// operand returns the shape of a value that stands by itself or as an argument.
func (c *checker) operand(node parse.Node, dot shape, depth int) (shape, error) {
	switch n := node.(type) {
	case *parse.StringNode:
		return shape{kinds: kindText, size: len(n.Text), literal: &n.Text}, nil
	case *parse.NumberNode:
		return number(n)
	case *parse.BoolNode:
		return shape{kinds: kindBool, size: len("false")}, nil
	case *parse.IdentifierNode:
		return c.call(n.Ident, nil)
	case *parse.PipeNode:
		return c.parenthesized(n, dot, depth)
	case *parse.DotNode:
		return fields(dot, nil)
	case *parse.FieldNode:
		return fields(dot, n.Ident)
	case *parse.ChainNode:
		of, err := c.operand(n.Node, dot, depth)
		if err != nil {
			return shape{}, err
		}
		return fields(of, n.Field)
	case *parse.VariableNode:
		return c.variableFields(n)
	default:
		return shape{}, fmt.Errorf("%s is not allowed: use values, functions and constants only", oneLine(firstWord(node)))
	}
}

func number(n *parse.NumberNode) (shape, error) {
	tooLarge := n.IsUint && !n.IsInt || n.IsInt && int64(int(n.Int64)) != n.Int64
	isReal := n.IsInt || n.IsFloat
	if n.IsComplex || tooLarge || !isReal {
		return shape{}, fmt.Errorf("the number %s is not allowed: use a smaller one", oneLine(n.Text))
	}
	return shape{kinds: kindNumber, size: maxNumber}, nil
}

// parenthesized returns the shape of a pipeline in parentheses.
func (c *checker) parenthesized(n *parse.PipeNode, dot shape, depth int) (shape, error) {
	if len(n.Decl) > 0 { // "and" and "or" may skip it
		return shape{}, errors.New("a variable cannot be set inside parentheses: set it in an action of its own")
	}
	return c.pipe(n, dot, depth+1)
}

func (c *checker) variableFields(n *parse.VariableNode) (shape, error) {
	if n.Ident[0] == "$" {
		return fields(shape{kinds: kindAll}, n.Ident[1:])
	}
	return fields(c.variable(n.Ident[0]).shape, n.Ident[1:])
}

func (c *checker) call(name string, args []shape) (shape, error) {
	rule := rules[name]
	if len(args) < rule.least || len(args) > rule.most {
		return shape{}, fmt.Errorf("%s has %d arguments: write %s", name, len(args), rule.usage)
	}
	result, err := rule.apply(name, args)
	if err != nil {
		return shape{}, err
	}
	if c.work += result.size; result.size > maxOutputs || c.work > maxWork {
		return shape{}, errText
	}
	return result, nil
}

// fields returns the shape of what stands under the names in a value. The values together are never a value themselves, so
// that each access to one of them is by name.
func fields(of shape, names []string) (shape, error) {
	for _, name := range names {
		switch of.kinds {
		case kindAll:
			field, ok := topFields[name]
			if !ok {
				return shape{}, fmt.Errorf(".%s is unknown: use .%s", oneLine(name), strings.Join(topNames, ", ."))
			}
			of = field
		case kindMap:
			of = header(of.secret + "." + name)
		default:
			return shape{}, fmt.Errorf("%s has no field %s", of.kinds, oneLine(name))
		}
	}
	if of.kinds == kindAll {
		return shape{}, errors.New("the dot alone stands for all values here: name one, such as .token")
	}
	return of, nil
}

func firstWord(node parse.Node) string {
	text := node.String()
	if _, after, ok := strings.Cut(text, "{{"); ok {
		text = after
	}
	text, _, _ = strings.Cut(strings.TrimSpace(text), " ")
	text, _, _ = strings.Cut(text, "}}")
	return text
}
