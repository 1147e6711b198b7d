{{- define "operator.args" -}}
{{- if .Values.leaderElection.enabled }}
- --leader-elect
{{- end }}
{{- with .Values.leaderElection.namespace }}
- --leader-election-namespace={{ . }}
{{- end }}
- --health-probe-bind-address=:{{ int .Values.healthPort }}
- --metrics-bind-address={{ if .Values.metrics.enabled }}:{{ int .Values.metrics.port }}{{ else }}0{{ end }}
{{- if not .Values.metrics.secure }}
- --metrics-secure=false
{{- end }}
{{- if .Values.metrics.certSecret }}
- --metrics-cert-path=/var/run/metrics-certificate
{{- end }}
{{- with .Values.pprofBindAddress }}
- --pprof-bind-address={{ . }}
{{- end }}
{{- with .Values.watchNamespaces }}
- --watch-namespaces={{ join "," . }}
{{- end }}
{{- with .Values.watchSelector }}
- {{ printf "--watch-selector=%s" . | quote }}
{{- end }}
{{- with .Values.allowedTokenHosts }}
- {{ printf "--allowed-token-hosts=%s" (join "," .) | quote }}
{{- end }}
{{- with .Values.allowedCIDRs }}
- --allowed-cidrs={{ join "," . }}
{{- end }}
{{- with .Values.deniedCIDRs }}
- --denied-cidrs={{ join "," . }}
{{- end }}
{{- with .Values.tokenHostsOnly }}
- {{ printf "--token-hosts-only=%s" (join "," .) | quote }}
{{- end }}
{{- with .Values.caFile }}
- {{ printf "--ca-file=%s" . | quote }}
{{- end }}
{{- with .Values.allowedTargetMetadata }}
- {{ printf "--allowed-target-metadata=%s" (join "," .) | quote }}
{{- end }}
{{- with .Values.maxConcurrentReconciles }}
- --max-concurrent-reconciles={{ int . }}
{{- end }}
{{- with .Values.tokenEndpoint.qps }}
- --token-endpoint-qps={{ . }}
{{- end }}
{{- with .Values.tokenEndpoint.inFlight }}
- --token-endpoint-in-flight={{ int . }}
{{- end }}
{{- if .Values.rolloutRestart.enabled }}
- --enable-rollout-restart
{{- end }}
{{- if .Values.podRefresh.enabled }}
- --enable-pod-refresh
{{- end }}
{{- if .Values.log.development }}
- --zap-devel
{{- end }}
{{- with .Values.log.level }}
- --zap-log-level={{ . }}
{{- end }}
{{- with .Values.log.encoder }}
- --zap-encoder={{ . }}
{{- end }}
{{- with .Values.log.stacktraceLevel }}
- --zap-stacktrace-level={{ . }}
{{- end }}
{{- with .Values.log.timeEncoding }}
- --zap-time-encoding={{ . }}
{{- end }}
{{- range .Values.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end -}}

{{/* Nine tenths of the memory limit: the garbage collector works harder before the kernel kills. Empty if the limit is in another unit. */}}
{{- define "operator.goMemLimit" -}}
{{- $limit := dig "limits" "memory" "" .Values.resources | toString -}}
{{- if regexMatch "^[0-9]+Mi$" $limit -}}
{{ div (mul (trimSuffix "Mi" $limit | int64) 9) 10 }}MiB
{{- else if regexMatch "^[0-9]+Gi$" $limit -}}
{{ div (mul (trimSuffix "Gi" $limit | int64) 1024 9) 10 }}MiB
{{- end -}}
{{- end -}}

{{/* A constraint without a labelSelector would be about no pod at all. */}}
{{- define "operator.topologySpreadConstraints" -}}
{{- $own := dict "labelSelector" (dict "matchLabels" (include "operator.selector" . | fromYaml)) -}}
{{- $constraints := list -}}
{{- range .Values.topologySpreadConstraints -}}
{{- $constraints = append $constraints (merge (deepCopy .) $own) -}}
{{- end -}}
{{- toYaml $constraints -}}
{{- end -}}
