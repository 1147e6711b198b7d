{{- define "validation" -}}
{{- $rules := list -}}
{{- range without . "Optional: {}" -}}
{{- $rules = append $rules (eq . "Required: {}" | ternary "Required" (markdownRenderFieldDoc .)) -}}
{{- end -}}
{{- join " <br />" $rules | replace "\\{" "{" | replace "\\}" "}" -}}
{{- end -}}
