package render

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template/parse"
)

const (
	templateName = "data-template"
	// The parser and the walk below recurse once for each nested action or parenthesis. Counting them beforehand bounds the
	// depth, whatever stands inside quotes.
	maxActions     = 1024
	maxParentheses = 1024
	maxDepth       = 32
)

// parseTemplate returns the tree of a template that holds allowed constructs only. The parser knows our functions and no
// others, so html, printf or call are as unknown as any typo.
func parseTemplate(source string) (_ compiled, err error) {
	defer func() {
		if recover() != nil {
			err = errPanic
		}
	}()
	if strings.Count(source, "{{") > maxActions || strings.Count(source, "(") > maxParentheses {
		return compiled{}, fmt.Errorf("the template has more than %d actions or parentheses: simplify it", maxActions)
	}
	tree := parse.New(templateName)
	trees := map[string]*parse.Tree{}
	if _, err := tree.Parse(source, "", "", trees, functionNames); err != nil {
		return compiled{}, err
	}
	for _, other := range trees {
		if other != tree {
			return compiled{}, errors.New("define and block are not allowed: write the text where it is used")
		}
	}
	var c checker
	if err := c.list(tree.Root, scope{top: true}, 0); err != nil {
		return compiled{}, err
	}
	return compiled{tree: tree, words: c.words}, nil
}

// compiled is a template that passed the check.
type compiled struct {
	tree  *parse.Tree
	words []string // what the template may read of the headers, and other words
}

// checker walks a tree by a list of what is allowed. What a future Go adds to the language is refused until somebody adds
// it here.
type checker struct{ words []string }

// scope says what the dot is: the values themselves, or what a with has made of it.
type scope struct{ top bool }

func (c *checker) list(list *parse.ListNode, s scope, depth int) error {
	if list == nil {
		return nil
	}
	if depth > maxDepth {
		return fmt.Errorf("the template is nested deeper than %d: simplify it", maxDepth)
	}
	for _, node := range list.Nodes {
		if err := c.node(node, s, depth); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) node(node parse.Node, s scope, depth int) error {
	switch n := node.(type) {
	case *parse.TextNode, *parse.CommentNode:
		return nil
	case *parse.ActionNode:
		return c.pipe(n.Pipe, s, depth)
	case *parse.IfNode:
		return c.branch(&n.BranchNode, s, s, depth)
	case *parse.WithNode:
		return c.branch(&n.BranchNode, s, scope{}, depth)
	default:
		return fmt.Errorf("%s is not allowed: use actions, if and with only", oneLine(firstWord(node)))
	}
}

func (c *checker) branch(branch *parse.BranchNode, outer, inner scope, depth int) error {
	if err := c.pipe(branch.Pipe, outer, depth); err != nil {
		return err
	}
	if err := c.list(branch.List, inner, depth+1); err != nil {
		return err
	}
	return c.list(branch.ElseList, outer, depth+1) // the dot of an else is the outer one
}

func (c *checker) pipe(pipe *parse.PipeNode, s scope, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("the template is nested deeper than %d: simplify it", maxDepth)
	}
	for _, command := range pipe.Cmds {
		for _, arg := range command.Args {
			if err := c.arg(arg, s, depth); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *checker) arg(arg parse.Node, s scope, depth int) error {
	switch n := arg.(type) {
	case *parse.StringNode:
		if len(n.Text) <= maxKeyLength {
			c.words = append(c.words, n.Text)
		}
		return nil
	case *parse.NumberNode, *parse.BoolNode:
		return nil
	case *parse.IdentifierNode:
		if _, ok := functionNames[n.Ident]; !ok {
			return fmt.Errorf("the function %s is not allowed", n.Ident)
		}
		return nil
	case *parse.PipeNode:
		return c.pipe(n, s, depth+1)
	case *parse.DotNode:
		if s.top {
			return errWhole
		}
		return nil
	case *parse.FieldNode:
		c.words = append(c.words, n.Ident...)
		if s.top {
			return checkTopField(n.Ident)
		}
		return nil
	case *parse.VariableNode:
		c.words = append(c.words, n.Ident...)
		if n.Ident[0] != "$" {
			return nil
		}
		if len(n.Ident) == 1 {
			return errWhole
		}
		return checkTopField(n.Ident[1:])
	default:
		return fmt.Errorf("%s is not allowed: use values, functions and constants only", oneLine(firstWord(arg)))
	}
}

// errWhole keeps the values together out of variables and functions: so every access to one of them is by name, and
// checked here, before a token is asked for.
var errWhole = errors.New("the dot alone stands for all values here: name one, such as .token")

func checkTopField(names []string) error {
	if !slices.Contains(topNames, names[0]) {
		return fmt.Errorf(".%s is unknown: use .%s", oneLine(names[0]), strings.Join(topNames, ", ."))
	}
	if len(names) > 2 || (len(names) == 2 && names[0] != "headers") {
		return fmt.Errorf(".%s has no field %s", names[0], oneLine(names[1]))
	}
	return nil
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
