// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
)

// RegisterBuildInfo registers a metric with the version of the operator.
func RegisterBuildInfo(registry prometheus.Registerer, version string) error {
	info := gauges("build_info", "Always 1: the version of the operator, and of Go that it was built with.", []string{"version", "go_version"})
	info.WithLabelValues(version, runtime.Version()).Set(1)
	return registry.Register(info)
}
