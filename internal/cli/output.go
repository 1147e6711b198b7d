// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"sigs.k8s.io/yaml"
)

// output is the flag -o.
type output struct{ format string }

var outputFormats = []string{"", "json", "yaml"}

func (o *output) addFlag(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&o.format, "output", "o", "", "Output format: json or yaml; empty means text for people.")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(outputFormats[1:], cobra.ShellCompDirectiveNoFileComp))
}

// check is to be called before anything is asked of the cluster.
func (o *output) check() error {
	if !slices.Contains(outputFormats, o.format) {
		return usageErrorf("-o %s: it is json or yaml", o.format)
	}
	return nil
}

// print writes value as the flag says, or what text makes of it.
func (o *output) print(env Environment, value any, text func(*page)) error {
	if err := o.check(); err != nil {
		return err
	}
	var content []byte
	var err error
	switch o.format {
	case "json":
		if content, err = json.MarshalIndent(value, "", "  "); err == nil {
			content = append(content, '\n')
		}
	case "yaml":
		content, err = yaml.Marshal(value)
	default:
		p := &page{colour: hasColour(env)}
		text(p)
		content = []byte(p.String())
	}
	if err != nil {
		return err
	}
	_, err = env.Out.Write(content)
	return err
}

// hasColour reports whether the output is a terminal whose user has not said no (https://no-color.org).
func hasColour(env Environment) bool {
	return env.Getenv("NO_COLOR") == "" && env.Getenv("TERM") != "dumb" && isTerminal(env.Out)
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// A page is text of at most 80 columns. Only words that cannot be broken, such as names and commands, may be longer.
type page struct {
	text   strings.Builder
	colour bool
}

func (p *page) String() string { return p.text.String() }

const columns = 80

func (p *page) line(text string) {
	p.text.WriteString(strings.TrimRight(text, " ") + "\n")
}

// The colours of a terminal. Text that comes from the cluster is never written with them, and never holds any: see plain.
type paint string

const (
	red    paint = "\x1b[31m"
	green  paint = "\x1b[32m"
	yellow paint = "\x1b[33m"
	bold   paint = "\x1b[1m"
)

func (p *page) paint(c paint, text string) string {
	if !p.colour {
		return text
	}
	return string(c) + text + "\x1b[0m"
}

// plain takes out what a terminal might obey: others write names, messages and events.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t', r == '\r':
			return ' '
		case r < ' ', r >= 0x7f && r < 0xa0, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, text)
}

// clip shortens text to a width, in runes.
func clip(text string, width int) string {
	if runes := []rune(text); len(runes) > width {
		return string(runes[:max(width-1, 0)]) + "…"
	}
	return text
}

// wrap breaks text between words into lines that have a label before the first, and as much space before the others.
func (p *page) wrap(label, text string) { p.wrapPainted(label, "", text) }

// wrapPainted is wrap with a label in colour.
func (p *page) wrapPainted(label string, c paint, text string) {
	width := len([]rune(label))
	indent := strings.Repeat(" ", width)
	if c != "" {
		label = p.paint(c, label)
	}
	for _, line := range wrapped(text, columns-width) {
		p.line(label + line)
		label = indent
	}
}

// wrapped breaks text between words into lines of a width. It returns at least one line.
func wrapped(text string, width int) []string {
	lines := []string{""}
	for word := range strings.FieldsSeq(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case len([]rune(*last))+1+len([]rune(word)) > width:
			lines = append(lines, word)
		default:
			*last += " " + word
		}
	}
	return lines
}

// command writes a command that can be pasted: where it is too long it is broken before an argument.
func (p *page) command(indent, command string) {
	line := indent
	for i, word := range strings.Split(command, " ") {
		switch {
		case i == 0:
			line += word
		case len([]rune(line))+1+len([]rune(word))+2 > columns:
			p.line(line + ` \`)
			line = indent + "  " + word
		default:
			line += " " + word
		}
	}
	p.line(line)
}

// table writes rows with two spaces between columns. Cells may be painted by the caller: paint is called with each cell after it got its width.
func (p *page) table(rows [][]string, paint func(row, column int, cell string) string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for y, row := range rows {
		var line strings.Builder
		for x, cell := range row {
			if x < len(row)-1 {
				cell += strings.Repeat(" ", widths[x]+2-len([]rune(cell)))
			}
			line.WriteString(paint(y, x, cell))
		}
		p.line(line.String())
	}
}
