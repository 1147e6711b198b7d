// SPDX-License-Identifier: Apache-2.0

package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math/big"
	"slices"
	"strings"
)

// mutantsOf returns all mutants of a file, in the order of their places. Some may not compile.
func mutantsOf(file string, source []byte) ([]*mutant, error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, file, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	m := maker{file: file, source: source, at: fset.File(tree.Pos())}
	ast.Inspect(tree, func(n ast.Node) bool {
		if n == nil || untouched(n) {
			return false
		}
		m.visit(n)
		return true
	})
	slices.SortStableFunc(m.made, func(a, b *mutant) int { return a.start - b.start })
	return m.made, nil
}

type maker struct {
	file   string
	source []byte
	at     *token.File
	made   []*mutant
}

// replace adds a mutant that replaces the text between two positions.
func (m *maker) replace(by operator, from, to token.Pos, with string) {
	m.made = append(m.made, &mutant{
		file: m.file, line: m.at.Line(from), operator: by,
		start: m.at.Offset(from), end: m.at.Offset(to), with: with, source: m.source,
	})
}

func (m *maker) textOf(n ast.Node) string {
	return string(m.source[m.at.Offset(n.Pos()):m.at.Offset(n.End())])
}

func (m *maker) visit(n ast.Node) {
	switch n := n.(type) {
	case *ast.IfStmt:
		m.negate(n.Cond)
	case *ast.ForStmt:
		m.negate(n.Cond)
	case *ast.SwitchStmt:
		m.negateCases(n)
	case *ast.BinaryExpr:
		m.swapOperator(n)
	case *ast.BasicLit:
		m.nextNumber(n)
	case *ast.Ident:
		m.swapName(n)
	case *ast.BlockStmt:
		m.dropStatements(n.List)
	case *ast.CaseClause:
		m.dropStatements(n.Body)
	case *ast.CommClause:
		m.dropStatements(n.Body)
	}
}

// negateCases negates the conditions of a switch without a tag.
func (m *maker) negateCases(s *ast.SwitchStmt) {
	if s.Tag != nil {
		return
	}
	for _, clause := range s.Body.List {
		for _, condition := range clause.(*ast.CaseClause).List {
			m.negate(condition)
		}
	}
}

// negate skips conditions that another operator mutates: == for != is a mutant of its own.
func (m *maker) negate(condition ast.Expr) {
	if condition == nil {
		return
	}
	switch e := ast.Unparen(condition).(type) {
	case *ast.BinaryExpr:
		if e.Op == token.EQL || e.Op == token.NEQ {
			return
		}
	case *ast.UnaryExpr:
		if e.Op == token.NOT {
			m.replace(negation, e.Pos(), e.X.Pos(), "")
			return
		}
	}
	m.replace(negation, condition.Pos(), condition.End(), "!("+m.textOf(condition)+")")
}

var otherOperator = map[token.Token]struct {
	with token.Token
	by   operator
}{
	token.EQL: {token.NEQ, equality}, token.NEQ: {token.EQL, equality},
	token.LSS: {token.LEQ, boundary}, token.LEQ: {token.LSS, boundary},
	token.GTR: {token.GEQ, boundary}, token.GEQ: {token.GTR, boundary},
	token.LAND: {token.LOR, logic}, token.LOR: {token.LAND, logic},
	token.ADD: {token.SUB, arithmetic}, token.SUB: {token.ADD, arithmetic},
	token.MUL: {token.QUO, arithmetic}, token.QUO: {token.MUL, arithmetic},
}

func (m *maker) swapOperator(e *ast.BinaryExpr) {
	if e.Op == token.ADD && isText(e) {
		return
	}
	if other, ok := otherOperator[e.Op]; ok {
		m.replace(other.by, e.OpPos, e.OpPos+token.Pos(len(e.Op.String())), other.with.String())
	}
	if e.Op == token.LAND || e.Op == token.LOR {
		for _, side := range []ast.Expr{e.X, e.Y} {
			if inner, ok := ast.Unparen(side).(*ast.BinaryExpr); !ok || inner.Op != token.LAND && inner.Op != token.LOR {
				m.negate(side)
			}
		}
	}
}

// isText reports whether a sum has a string literal: strings cannot be subtracted.
func isText(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BinaryExpr:
		return e.Op == token.ADD && (isText(e.X) || isText(e.Y))
	case *ast.BasicLit:
		return e.Kind == token.STRING
	}
	return false
}

// nextNumber changes a number by the smallest amount that a test must notice.
func (m *maker) nextNumber(n *ast.BasicLit) {
	text := strings.ReplaceAll(n.Value, "_", "")
	switch n.Kind {
	case token.INT:
		if v, ok := new(big.Int).SetString(text, 0); ok {
			m.replace(constant, n.Pos(), n.End(), v.Add(v, big.NewInt(1)).String())
		}
	case token.FLOAT:
		m.replace(constant, n.Pos(), n.End(), "(2*"+n.Value+")")
	}
}

var otherName = map[string]struct {
	with string
	by   operator
}{"true": {"false", constant}, "false": {"true", constant}, "min": {"max", boundary}, "max": {"min", boundary}}

func (m *maker) swapName(n *ast.Ident) {
	if other, ok := otherName[n.Name]; ok {
		m.replace(other.by, n.Pos(), n.End(), other.with)
	}
}

// dropStatements drops each statement that can be left out by itself.
func (m *maker) dropStatements(list []ast.Stmt) {
	for _, s := range list {
		if droppable(s) && !untouched(s) {
			m.replace(dropped, s.Pos(), s.End(), "")
		}
	}
}

func droppable(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.AssignStmt:
		return s.Tok != token.DEFINE && !blank(s.Lhs)
	case *ast.ExprStmt, *ast.IncDecStmt, *ast.SendStmt, *ast.BranchStmt, *ast.ReturnStmt, *ast.DeferStmt, *ast.GoStmt:
		return true
	}
	return false
}

// blank reports whether an assignment only assigns to _.
func blank(list []ast.Expr) bool {
	return !slices.ContainsFunc(list, func(e ast.Expr) bool {
		name, ok := e.(*ast.Ident)
		return !ok || name.Name != "_"
	})
}
