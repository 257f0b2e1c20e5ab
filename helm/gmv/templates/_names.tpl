{{/*
The name of all objects. A Service's may hold no dot and begins with a letter, which Helm does not ask of a release's.
51: `<name>-ledger-init` is a label of its Job's pods, which holds 63 characters.
*/}}
{{- define "gmv.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | replace "." "-" -}}
{{- $full = ternary $full (printf "%s-%s" .Chart.Name $full) (regexMatch "^[a-z]" $full) -}}
{{- regexReplaceAll "-+$" (trunc 51 $full) "" -}}
{{- end -}}
{{- end -}}

{{- define "gmv.selector" -}}
app.kubernetes.io/name: {{ .Values.nameOverride | default .Chart.Name | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "gmv.workerSelector" -}}
{{ include "gmv.selector" . }}
app.kubernetes.io/component: worker
{{- end -}}

{{- define "gmv.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "gmv.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "gmv.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}
