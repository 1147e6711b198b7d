// SPDX-License-Identifier: Apache-2.0

package main

import (
	"go/ast"
	"slices"
)

// withoutTests are files whose mutants change nothing that a test could observe.
var withoutTests = map[string]string{
	"internal/slimcache/intern.go": "keeps equal values of the cache once, which only saves memory",
}

// untouched reports whether nothing in a node is mutated: log calls, debugging aids, sizes that are hints, and locks, which are the race detector's
// business.
func untouched(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncDecl:
		return n.Recv != nil && slices.Contains([]string{"String", "GoString", "Format", "LogValue", "MarshalLog"}, n.Name.Name)
	case *ast.ExprStmt:
		return untouched(n.X)
	case *ast.DeferStmt:
		return untouched(n.Call)
	case *ast.CallExpr:
		return isLogCall(n) || isLock(n) || isHint(n)
	case *ast.ArrayType:
		return n.Len != nil
	case *ast.ImportSpec:
		return true
	}
	return false
}

// isLogCall recognizes a logger by its name or by its origin, with any number of calls in between.
func isLogCall(call *ast.CallExpr) bool {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !slices.Contains([]string{"Info", "Error", "V", "WithName", "WithValues"}, method.Sel.Name) {
		return false
	}
	found := false
	ast.Inspect(method.X, func(n ast.Node) bool {
		if name, ok := n.(*ast.Ident); ok {
			found = found || slices.Contains([]string{"log", "logger", "Log", "LoggerFrom", "FromContext"}, name.Name)
		}
		return !found
	})
	return found
}

func isLock(call *ast.CallExpr) bool {
	method, ok := call.Fun.(*ast.SelectorExpr)
	return ok && len(call.Args) == 0 && slices.Contains([]string{"Lock", "Unlock", "RLock", "RUnlock"}, method.Sel.Name)
}

// isHint recognizes calls whose numbers are only capacity hints.
func isHint(call *ast.CallExpr) bool {
	switch fun := call.Fun.(type) {
	case *ast.Ident:
		if fun.Name != "make" || len(call.Args) < 2 {
			return false
		}
		_, ofMap := call.Args[0].(*ast.MapType)
		return ofMap || len(call.Args) == 3
	case *ast.SelectorExpr:
		return fun.Sel.Name == "Grow"
	}
	return false
}
