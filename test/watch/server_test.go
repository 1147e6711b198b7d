// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// A prometheus is a process that scrapes an operator as its ServiceMonitor does, only more often, and evaluates alerts.
type prometheus struct{ url string }

// startPrometheus scrapes an HTTPS address with a token.
func startPrometheus(t *testing.T, address, token string, alerts rules) *prometheus {
	t.Helper()
	binary, folder := program(t, "prometheus"), t.TempDir()
	alerts.save(t, filepath.Join(folder, "rules.yaml"))
	write(t, filepath.Join(folder, "token"), []byte(token))
	config, err := yaml.Marshal(map[string]any{
		"global":     map[string]any{"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "500ms"},
		"rule_files": []string{"rules.yaml"},
		"scrape_configs": []any{map[string]any{
			"job_name": "controller-manager-metrics-service", "scheme": "https", "honor_labels": honorsLabels(t),
			"tls_config":    map[string]any{"insecure_skip_verify": true},
			"authorization": map[string]any{"credentials_file": "token"},
			// The Prometheus operator adds these labels to the targets of a ServiceMonitor.
			"static_configs": []any{map[string]any{
				"targets": []string{address}, "labels": map[string]string{"namespace": framework.SystemNamespace, "pod": "controller-manager-0"},
			}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, "prometheus.yaml"), config)

	listen := freeAddress(t)
	p := &prometheus{url: "http://" + listen}
	log, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := framework.Command(context.WithoutCancel(t.Context()), folder, binary, "--config.file=prometheus.yaml", "--storage.tsdb.path=data",
		"--web.listen-address="+listen, "--log.level=warn")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if said, _ := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("Prometheus logged: %s", said)
		}
	})
	until(t, time.Minute, "Prometheus is ready", func() string {
		if err := p.get(t.Context(), "/-/ready", nil); err != nil {
			return err.Error()
		}
		return ""
	})
	return p
}

// honorsLabels returns the ServiceMonitor's honorLabels.
func honorsLabels(t *testing.T) bool {
	t.Helper()
	var monitor struct {
		Spec struct {
			Endpoints []struct {
				HonorLabels bool `json:"honorLabels"`
			} `json:"endpoints"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(read(t, "config/prometheus/monitor.yaml"), &monitor); err != nil {
		t.Fatal(err)
	}
	return monitor.Spec.Endpoints[0].HonorLabels
}

// freeAddress returns a loopback address that nobody uses.
func freeAddress(t *testing.T) string {
	t.Helper()
	free, err := framework.FreeAddresses(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return free[0]
}

// get calls the HTTP API, and decodes the data of the response into result unless that is nil.
func (p *prometheus) get(ctx context.Context, path string, result any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+path, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if result == nil {
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("it answers %s", response.Status)
		}
		return nil
	}
	var body struct {
		Data  json.RawMessage `json:"data"`
		Error string          `json:"error"`
	}
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
		return fmt.Errorf("decode the response (%s): %w", response.Status, err)
	}
	if body.Error != "" {
		return fmt.Errorf("%s: %s", response.Status, body.Error)
	}
	return json.Unmarshal(body.Data, result)
}

// firing returns the firing alerts, with the labels that identify their subject.
func (p *prometheus) firing(ctx context.Context) ([]string, error) {
	var data struct {
		Alerts []struct {
			Labels map[string]string `json:"labels"`
			State  string            `json:"state"`
		} `json:"alerts"`
	}
	if err := p.get(ctx, "/api/v1/alerts", &data); err != nil {
		return nil, err
	}
	var list []string
	for _, a := range data.Alerts {
		if a.State == "firing" {
			words := []string{strings.TrimPrefix(a.Labels["alertname"], "CDPCredential")}
			for _, label := range []string{"namespace", "name", "endpoint", "reason"} {
				if value := a.Labels[label]; value != "" {
					words = append(words, value)
				}
			}
			list = append(list, strings.Join(words, " "))
		}
	}
	return list, nil
}

// A series is a result of a query: labels, and values over time.
type series struct {
	Metric map[string]string `json:"metric"`
	Value  sample            `json:"value"`  // of an instant
	Values []sample          `json:"values"` // of a range
}

type sample struct {
	at, value float64
}

// UnmarshalJSON parses [seconds, "value"].
func (s *sample) UnmarshalJSON(text []byte) error {
	var pair [2]any
	if err := json.Unmarshal(text, &pair); err != nil {
		return err
	}
	at, isNumber := pair[0].(float64)
	value, isText := pair[1].(string)
	if !isNumber || !isText {
		return fmt.Errorf("%s is not a sample", text)
	}
	var err error
	s.at = at
	s.value, err = strconv.ParseFloat(value, 64)
	return err
}

func (p *prometheus) query(ctx context.Context, expr string) ([]series, error) {
	var data struct {
		Result []series `json:"result"`
	}
	err := p.get(ctx, "/api/v1/query?"+url.Values{"query": {expr}}.Encode(), &data)
	return data.Result, err
}

func (p *prometheus) queryRange(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]series, error) {
	var data struct {
		Result []series `json:"result"`
	}
	err := p.get(ctx, "/api/v1/query_range?"+url.Values{
		"query": {expr}, "start": {from.Format(time.RFC3339)}, "end": {to.Format(time.RFC3339)}, "step": {step.String()},
	}.Encode(), &data)
	return data.Result, err
}
