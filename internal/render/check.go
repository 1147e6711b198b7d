// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template/parse"
)

// check parses a template and proves of it, without any value, that it cannot fail, that it never decides on a secret, and
// how large its output can become. It returns the tree and what the output can be.
func (c *checker) check(source string) (_ *parse.Tree, output shape, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the template cannot be read: simplify it")
		}
	}()
	if strings.Count(source, "{{") > maxActions || strings.Count(source, "(") > maxParentheses {
		return nil, shape{}, fmt.Errorf("the template has more than %d actions or parentheses: simplify it", maxActions)
	}
	tree := parse.New(templateName)
	trees := map[string]*parse.Tree{}
	if _, err := tree.Parse(source, "", "", trees, functionNames()); err != nil {
		return nil, shape{}, syntaxError(err)
	}
	for _, other := range trees {
		if other != tree {
			return nil, shape{}, errors.New("define and block are not allowed: write the text where it is used")
		}
	}
	c.source, c.variables = source, nil
	output, err = c.list(tree.Root, shape{kinds: kindAll}, 0)
	return tree, output, err
}

// list returns the shape of what the nodes print together.
func (c *checker) list(list *parse.ListNode, dot shape, depth int) (shape, error) {
	output := shape{kinds: kindText}
	if list == nil {
		return output, nil
	}
	if depth > maxDepth {
		return shape{}, errDepth
	}
	for _, node := range list.Nodes {
		printed, err := c.node(node, dot, depth)
		if err != nil {
			return shape{}, c.locate(node, err)
		}
		output.size += printed.size
		output = output.tainted(printed)
	}
	return output, nil
}

// node returns the shape of what a node prints.
func (c *checker) node(node parse.Node, dot shape, depth int) (shape, error) {
	switch n := node.(type) {
	case *parse.TextNode:
		return shape{kinds: kindText, size: len(n.Text)}, nil
	case *parse.CommentNode:
		return shape{kinds: kindText}, nil
	case *parse.ActionNode:
		printed, err := c.pipe(n.Pipe, dot, depth)
		if len(n.Pipe.Decl) > 0 {
			printed = shape{kinds: kindText}
		}
		return printed, err
	case *parse.IfNode:
		return c.branch(&n.BranchNode, dot, depth)
	case *parse.WithNode:
		return c.branch(&n.BranchNode, dot, depth)
	default:
		return shape{}, fmt.Errorf("%s is not allowed: use actions, if and with only", oneLine(firstWord(node)))
	}
}

// branch checks both branches of an if or with. Afterwards a variable may be what either of them has made of it.
func (c *checker) branch(branch *parse.BranchNode, dot shape, depth int) (shape, error) {
	outer := len(c.variables)
	condition, err := c.pipe(branch.Pipe, dot, depth)
	if err != nil {
		return shape{}, err
	}
	if condition.secret != "" {
		return shape{}, decides(condition)
	}
	inner := dot
	if branch.NodeType == parse.NodeWith {
		inner = condition.computed()
	}
	before := slices.Clone(c.variables)
	first, err := c.list(branch.List, inner, depth+1)
	if err != nil {
		return shape{}, err
	}
	afterFirst := c.variables[:outer]
	c.variables = before
	second, err := c.list(branch.ElseList, dot, depth+1) // the dot of an else is the outer one
	if err != nil {
		return shape{}, err
	}
	c.variables = c.variables[:outer]
	for i := range c.variables {
		c.variables[i].shape = c.variables[i].shape.or(afterFirst[i].shape)
	}
	return first.or(second), nil
}

// locate names the line, where there are several.
func (c *checker) locate(node parse.Node, err error) error {
	line := 1 + strings.Count(c.source[:min(int(node.Position()), len(c.source))], "\n")
	if _, ok := errors.AsType[*lineError](err); ok || line == 1 {
		return err
	}
	return &lineError{line: line, err: err}
}
