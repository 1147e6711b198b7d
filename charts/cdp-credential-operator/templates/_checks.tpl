{{/*
Values that the schema cannot judge, and with which the manager would end at once or nothing would work. Each check fails with the name of the value and
what to write; TestChartRefusesWhatTheManagerRefuses compares them with the manager's own.
*/}}
{{- define "operator.checks" -}}
{{- if and (gt (int .Values.replicas) 1) (not .Values.leaderElection.enabled) -}}
{{- fail "replicas: more than one needs leaderElection.enabled, or all of them would ask for tokens" -}}
{{- end -}}
{{- range $name := list "allowedTokenHosts" "tokenHostsOnly" -}}
{{- range $host := index $.Values $name -}}
{{- include "operator.checkHost" (dict "name" $name "host" $host) -}}
{{- end -}}
{{- end -}}
{{- range $name := list "allowedCIDRs" "deniedCIDRs" -}}
{{- range $cidr := index $.Values $name -}}
{{- include "operator.checkCIDR" (dict "name" $name "cidr" $cidr) -}}
{{- end -}}
{{- end -}}
{{- include "operator.checkSelector" .Values.watchSelector -}}
{{- include "operator.checkPorts" . -}}
{{- include "operator.checkCAFile" . -}}
{{- range .Values.extraArgs -}}
{{- $flag := regexReplaceAll "=.*$" (trimPrefix "--" .) "" -}}
{{- if not (has $flag (include "operator.flags" $ | splitList " ")) -}}
{{- fail (printf "extraArgs: the manager has no flag --%s; see `/manager --help`" $flag) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The manager's flags; a test compares them with its --help. --version is none of them: the manager would print it and end. */}}
{{- define "operator.flags" -}}
allowed-cidrs allowed-target-metadata allowed-token-hosts ca-file denied-cidrs enable-pod-refresh enable-rollout-restart health-probe-bind-address kubeconfig leader-elect leader-election-namespace max-concurrent-reconciles metrics-bind-address metrics-cert-path metrics-secure pprof-bind-address token-endpoint-in-flight token-endpoint-qps token-hosts-only watch-namespaces watch-selector zap-devel zap-encoder zap-log-level zap-stacktrace-level zap-time-encoding
{{- end -}}

{{- define "operator.port" -}}
(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})
{{- end -}}

{{- define "operator.ipv4" -}}
((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])
{{- end -}}

{{/* The eight groups of an IPv6 address, separated by blanks; empty if it is none. An IPv4 address at its end is not understood. */}}
{{- define "operator.ipv6" -}}
{{- $halves := splitList "::" . -}}
{{- $groups := compact (splitList ":" (first $halves)) -}}
{{- if and (contains "::" .) (eq (len $halves) 2) -}}
{{- $right := compact (splitList ":" (last $halves)) -}}
{{- range until (int (max 1 (sub 8 (add (len $groups) (len $right))))) -}}
{{- $groups = append $groups "0" -}}
{{- end -}}
{{- $groups = concat $groups $right -}}
{{- end -}}
{{- $joined := join " " $groups -}}
{{- $colons := regexMatch "^(::|[0-9a-fA-F])([0-9a-fA-F:]*[0-9a-fA-F])?(::)?$" . -}}
{{- if and $colons (not (contains ":::" .)) (le (len $halves) 2) (regexMatch "^([0-9a-fA-F]{1,4} ){7}[0-9a-fA-F]{1,4}$" $joined) -}}
{{- $joined -}}
{{- end -}}
{{- end -}}

{{- define "operator.checkCIDR" -}}
{{- $parts := splitList "/" .cidr -}}
{{- $address := first $parts -}}
{{- $groups := list -}}
{{- $width := 0 -}}
{{- if regexMatch (printf "^%s$" (include "operator.ipv4" .)) $address -}}
{{- $width = 8 -}}
{{- range splitList "." $address -}}{{- $groups = append $groups (int64 .) -}}{{- end -}}
{{- else if include "operator.ipv6" $address -}}
{{- $width = 16 -}}
{{- range splitList " " (include "operator.ipv6" $address) -}}{{- $groups = append $groups (printf "0x%s" . | int64) -}}{{- end -}}
{{- end -}}
{{- $all := mul $width (len $groups) -}}
{{- $bits := toString $all -}}
{{- if gt (len $parts) 1 -}}{{- $bits = last $parts -}}{{- end -}}
{{- $well := and (gt $width 0) (le (len $parts) 2) (regexMatch "^(0|[1-9][0-9]{0,2})$" $bits) -}}
{{- if not (and $well (le (int64 $bits) $all)) -}}
{{- fail (printf "%s: %q is no address and no network; write for example 10.1.2.3 or 10.0.0.0/8" .name .cidr) -}}
{{- end -}}
{{- $mapped := hasPrefix "0 0 0 0 0 65535 " (join " " $groups) -}}
{{- if and $mapped (gt (len $parts) 1) -}}
{{- fail (printf "%s: %q is an IPv4 network; write it in IPv4 notation, such as 10.0.0.0/8" .name .cidr) -}}
{{- end -}}
{{- range $i, $group := $groups -}}
{{- $free := min $width (max 0 (sub (mul (add1 $i) $width) (int64 $bits))) -}}
{{- if mod $group (index (list 1 2 4 8 16 32 64 128 256 512 1024 2048 4096 8192 16384 32768 65536) (int $free)) -}}
{{- fail (printf "%s: %q has bits that are not part of a /%s; write the network's first address" $.name $.cidr $bits) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "operator.checkHost" -}}
{{- $rest := trimPrefix "*." .host -}}
{{- $below := hasPrefix "*." .host -}}
{{- $port := printf "(:%s)?$" (include "operator.port" .) -}}
{{- $address := or (regexMatch (printf "^%s%s" (include "operator.ipv4" .) $port) $rest) (hasPrefix "[" $rest) -}}
{{- $good := $address -}}
{{- if hasPrefix "[" $rest -}}
{{- $inner := regexReplaceAll (printf "^\\[([^\\]]*)\\]%s" $port) $rest "${1}" -}}
{{- $good = ne (include "operator.ipv6" $inner) "" -}}
{{- else if not $address -}}
{{- $label := "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?" -}}
{{- $name := regexReplaceAll (printf "\\.?%s" $port) $rest "" -}}
{{- $number := regexMatch "(^|\\.)([0-9]+|0[xX][0-9a-fA-F]*)$" $name -}}
{{- $good = and (regexMatch (printf "^%s(\\.%s)*\\.?%s" $label $label $port) $rest) (le (len $name) 253) (not $number) -}}
{{- end -}}
{{- if and $below $address -}}
{{- fail (printf "%s: %q: an IP address has no hosts below it; write the addresses one by one" .name .host) -}}
{{- else if not $good -}}
{{- fail (printf "%s: %q is no host; write HOST or HOST:PORT without scheme and path, [ADDRESS] for IPv6, *.NAME for all hosts below NAME, xn--... for letters beyond a to z" .name .host) -}}
{{- end -}}
{{- end -}}

{{- define "operator.checkSelector" -}}
{{- $name := "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?" -}}
{{- $prefix := "([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?" -}}
{{- $key := printf "%s%s" $prefix $name -}}
{{- $value := printf "(%s)?" $name -}}
{{- $equal := printf "%s\\s*(=|==|!=)\\s*%s" $key $value -}}
{{- $set := printf "%s\\s+(in|notin)\\s*\\(\\s*%s\\s*(,\\s*%s\\s*)*\\)" $key $value $value -}}
{{- $order := printf "%s\\s*[<>]\\s*-?[0-9]+" $key -}}
{{- $one := printf "\\s*(!\\s*%s|%s|%s|%s|%s)\\s*" $key $key $equal $set $order -}}
{{- if not (regexMatch (printf "^(%s(,%s)*)?$" $one $one) .) -}}
{{- fail (printf "watchSelector: %q is no label selector; write for example shard=a or team in (etl,web)" .) -}}
{{- end -}}
{{- end -}}

{{/* Two servers of one pod cannot listen on one port. */}}
{{- define "operator.checkPorts" -}}
{{- $used := list (toString .Values.healthPort) -}}
{{- if .Values.metrics.enabled -}}{{- $used = append $used (toString .Values.metrics.port) -}}{{- end -}}
{{- with .Values.pprofBindAddress -}}{{- $used = append $used (regexFind "[0-9]+$" .) -}}{{- end -}}
{{- if ne (len $used) (len (uniq $used)) -}}
{{- fail (printf "healthPort, metrics.port and pprofBindAddress: the ports %s are not all different" (join ", " $used)) -}}
{{- end -}}
{{- end -}}

{{/* The manager ends if its file is missing. An image of your own that holds the file takes it by extraArgs. */}}
{{- define "operator.checkCAFile" -}}
{{- $file := .Values.caFile -}}
{{- $mounted := empty $file -}}
{{- range .Values.extraVolumeMounts -}}
{{- if hasPrefix (printf "%s/" (trimSuffix "/" .mountPath)) $file -}}{{- $mounted = true -}}{{- end -}}
{{- end -}}
{{- if not $mounted -}}
{{- fail (printf "caFile: nothing mounts %s; add its Secret or ConfigMap to extraVolumes and extraVolumeMounts (not with subPath)" $file) -}}
{{- end -}}
{{- end -}}
