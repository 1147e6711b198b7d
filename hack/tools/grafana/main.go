// SPDX-License-Identifier: Apache-2.0

// Command grafana checks a dashboard on its standard input against Grafana's own schema: a field that Grafana does not know, one that is missing, and a
// value of the wrong type or out of range are errors. The schema is the one that Grafana generates its types from (grafana-foundation-sdk).
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	if err := check(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func check(input io.Reader) error {
	content, err := io.ReadAll(input)
	if err != nil {
		return err
	}
	plugins.RegisterDefaultPlugins() // the panels and data sources that come with Grafana
	var d dashboard.Dashboard
	if err := nonEmpty(d.UnmarshalJSONStrict(content)); err != nil {
		return err
	}
	return errors.Join(d.Validate(), checkFields(content))
}

// nonEmpty turns the empty list of errors that the library returns for what is right into none.
func nonEmpty(err error) error {
	if err != nil && err.Error() == "" {
		return nil
	}
	return err
}

// checkFields is strict with the one part of a panel with which the library is not.
func checkFields(content []byte) error {
	var d struct {
		Panels []struct {
			Title       string          `json:"title"`
			FieldConfig json.RawMessage `json:"fieldConfig"`
		} `json:"panels"`
	}
	if err := json.Unmarshal(content, &d); err != nil {
		return err
	}
	var all []error
	for _, panel := range d.Panels {
		var fields dashboard.FieldConfigSource
		if panel.FieldConfig == nil {
			continue
		}
		if err := nonEmpty(fields.UnmarshalJSONStrict(panel.FieldConfig)); err != nil {
			all = append(all, fmt.Errorf("panel %q: fieldConfig: %w", panel.Title, err))
		}
	}
	return errors.Join(all...)
}
