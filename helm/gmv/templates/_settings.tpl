{{/*
The one file of settings: what the values say, and what the chart itself decides. JSON's texts, numbers and lists are
TOML's, too; `toToml` would write every number with a point.
*/}}
{{- define "gmv.settings" -}}
{{- $settings := deepCopy .Values.settings -}}
{{- $_ := set $settings "index" (include "gmv.indexPath" .) -}}
{{- $_ := set $settings.worker "web_bind" "0.0.0.0" -}}
{{- range $group := list "kafka" "ledger" -}}
{{- range $setting, $_ := index $.Values.secrets $group -}}
{{- $_ := set (index $settings $group) $setting (printf "/etc/gmv/secrets/%s/%s" $group $setting) -}}
{{- end -}}
{{- end -}}
{{- range $name, $value := $settings }}
{{- if not (or (kindIs "map" $value) (kindIs "invalid" $value)) }}
{{ $name }} = {{ toJson $value }}
{{- end }}
{{- end }}
{{- range $group, $values := $settings }}
{{- if kindIs "map" $values }}

[{{ $group }}]
{{- range $name, $value := $values }}
{{- if not (kindIs "invalid" $value) }}
{{ $name }} = {{ toJson $value }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "gmv.indexPath" -}}
{{- $path := ternary .Values.index.claim.path "index" (ne .Values.index.claim.name "") -}}
{{- list "/var/lib/gmv" $path | compact | join "/" -}}
{{- end -}}

{{/*
Seconds that a worker may need to stop in good order: a run in flight (half the rebalance time-out at most), which meets
brokers and a ledger that are away for as long as the settings let it try, and a farewell to the group.
*/}}
{{- define "gmv.graceSeconds" -}}
{{- $kafka := .Values.settings.kafka -}}
{{- $tries := addf $kafka.retry_seconds .Values.settings.ledger.retry_seconds -}}
{{- addf (divf $kafka.rebalance_seconds 2) $tries .Values.graceMarginSeconds | ceil | int -}}
{{- end -}}
