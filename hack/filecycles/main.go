// SPDX-License-Identifier: Apache-2.0

// Command filecycles prints the cycles between files of a package: files that refer to each other, directly or indirectly. It fails if one has more
// than -max files.
//
//	go run ./hack/filecycles [-max 3] ./controllers ./internal/...
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

type listed struct {
	ImportPath, Export, Dir string
	GoFiles                 []string
	DepOnly                 bool
}

func main() {
	limit := flag.Int("max", 3, "fail if a cycle has more files")
	flag.Parse()
	packages, err := list(context.Background(), flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	exports := map[string]string{}
	for _, p := range packages {
		exports[p.ImportPath] = p.Export
	}
	tooLarge := false
	for _, p := range packages {
		if p.DepOnly {
			continue
		}
		uses, err := references(p, exports)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		for _, cycle := range cycles(uses) {
			fmt.Fprintf(os.Stdout, "%s: %d files: %s\n", p.ImportPath, len(cycle), strings.Join(cycle, " "))
			tooLarge = tooLarge || len(cycle) > *limit
		}
	}
	if tooLarge {
		os.Exit(1)
	}
}

// list asks the go command for packages and, for their types, their sources and export data.
func list(ctx context.Context, patterns []string) ([]listed, error) {
	args := append([]string{"list", "-deps", "-export", "-json=ImportPath,Export,Dir,GoFiles,DepOnly"}, patterns...)
	cmd := exec.CommandContext(ctx, "go", args...) // #nosec G204 -- patterns of whoever runs it
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var all []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
}

// references returns the files that each file of a package refers to, by anything declared there, including methods and fields.
func references(p listed, exports map[string]string) (map[string]map[string]bool, error) {
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })}
	pkg, err := config.Check(p.ImportPath, fset, files, info)
	if err != nil {
		return nil, err
	}
	uses := map[string]map[string]bool{}
	for id, obj := range info.Uses {
		from, to := filepath.Base(fset.Position(id.Pos()).Filename), filepath.Base(fset.Position(obj.Pos()).Filename)
		if obj.Pkg() != pkg || from == to {
			continue
		}
		if uses[from] == nil {
			uses[from] = map[string]bool{}
		}
		uses[from][to] = true
	}
	return uses, nil
}

// cycles returns the sets of files that can all be reached from each other.
func cycles(uses map[string]map[string]bool) [][]string {
	reach := map[string]map[string]bool{}
	for file := range uses {
		seen := map[string]bool{}
		for todo := []string{file}; len(todo) > 0; {
			next := todo[0]
			todo = todo[1:]
			for to := range uses[next] {
				if !seen[to] {
					seen[to] = true
					todo = append(todo, to)
				}
			}
		}
		reach[file] = seen
	}
	var found [][]string
	done := map[string]bool{}
	for file, seen := range reach {
		if done[file] || !seen[file] {
			continue
		}
		var cycle []string
		for other := range seen {
			if reach[other][file] {
				cycle = append(cycle, other)
				done[other] = true
			}
		}
		slices.Sort(cycle)
		found = append(found, cycle)
	}
	slices.SortFunc(found, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	return found
}
