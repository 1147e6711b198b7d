// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"
	"sigs.k8s.io/yaml"
)

// runLua runs a script on an object as Argo CD runs one from a ConfigMap: with the base, package and table libraries, with only the time functions of
// require("os"), and for at most a second. It returns the script's result.
func runLua(ctx context.Context, script string, obj map[string]any, now time.Time) (any, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for _, library := range []struct {
		name string
		open lua.LGFunction
	}{{lua.LoadLibName, lua.OpenPackage}, {lua.BaseLibName, lua.OpenBase}, {lua.TabLibName, lua.OpenTable}} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(library.open), Protect: true}, lua.LString(library.name)); err != nil {
			return nil, fmt.Errorf("open the library %s: %w", library.name, err)
		}
	}
	state.PreloadModule(lua.OsLibName, clock(now))
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	state.SetContext(ctx)
	state.SetGlobal("obj", toLua(state, obj))
	if err := state.DoString(script); err != nil {
		return nil, fmt.Errorf("run the script: %w", err)
	}
	if state.GetTop() != 1 {
		return nil, fmt.Errorf("the script returns %d values", state.GetTop())
	}
	return fromLua(state.Get(1), obj), nil
}

// clock is the part of Lua's os that Argo CD provides, with a fixed time.
func clock(now time.Time) lua.LGFunction {
	formats := map[string]string{"!%Y-%m-%dT%H:%M:%SZ": "2006-01-02T15:04:05Z"}
	return func(state *lua.LState) int {
		state.Push(state.SetFuncs(state.NewTable(), map[string]lua.LGFunction{
			"time": func(state *lua.LState) int {
				state.Push(lua.LNumber(now.Unix()))
				return 1
			},
			"date": func(state *lua.LState) int {
				format, known := formats[state.CheckString(1)]
				if !known {
					state.ArgError(1, "a format that the tests do not know")
				}
				state.Push(lua.LString(now.UTC().Format(format)))
				return 1
			},
		}))
		return 1
	}
}

func toLua(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case nil:
		return lua.LNil
	case bool:
		return lua.LBool(value)
	case float64:
		return lua.LNumber(value)
	case int64:
		return lua.LNumber(value)
	case string:
		return lua.LString(value)
	case []any:
		table := state.NewTable()
		for _, item := range value {
			table.Append(toLua(state, item))
		}
		return table
	case map[string]any:
		table := state.NewTable()
		for key, item := range value {
			table.RawSetString(key, toLua(state, item))
		}
		return table
	}
	panic(fmt.Sprintf("no YAML has a %T", value))
}

// fromLua needs to know what a value was made from, because Lua's empty table is an empty list and an empty object alike. Argo CD also consults the
// object that it passed in.
func fromLua(value lua.LValue, was any) any {
	switch value := value.(type) {
	case lua.LBool:
		return bool(value)
	case lua.LNumber:
		return float64(value)
	case lua.LString:
		return string(value)
	case *lua.LTable:
		items, wasList := was.([]any)
		if value.Len() > 0 || wasList {
			list := make([]any, value.Len())
			for i := range list {
				var item any
				if i < len(items) {
					item = items[i]
				}
				list[i] = fromLua(value.RawGetInt(i+1), item)
			}
			return list
		}
		members, _ := was.(map[string]any)
		object := map[string]any{}
		value.ForEach(func(key, item lua.LValue) { object[key.String()] = fromLua(item, members[key.String()]) })
		return object
	}
	return nil
}

// TestLuaSandboxLacksWhatArgoLacks: what Argo CD does not provide is nil here, too.
func TestLuaSandboxLacksWhatArgoLacks(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"string.format", "math.floor", "io.open", "os.date", "debug.traceback", "coroutine.create"} {
		if got, err := runLua(t.Context(), "return "+name, nil, time.Time{}); err == nil {
			t.Errorf("%s is %v", name, got)
		}
	}
	if _, err := runLua(t.Context(), "while true do end", nil, time.Time{}); err == nil {
		t.Error("an endless script ended without an error")
	}
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(content, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
