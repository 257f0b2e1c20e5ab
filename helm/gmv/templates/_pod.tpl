{{/* What every pod of gmv has in common. The restricted profile of Pod Security, and no word with the API server. */}}
{{- define "gmv.podSpec" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  {{- range $name, $id := .Values.podSecurityContext }}
  {{- if not (kindIs "invalid" $id) }}
  {{ $name }}: {{ int64 $id }}
  {{- end }}
  {{- end }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* What every container of gmv has in common; its name, command and resources come from where it stands. */}}
{{- define "gmv.container" -}}
image: {{ include "gmv.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/* Of what does a worker's work: as many CPUs as it has threads that compute. */}}
{{- define "gmv.resources" -}}
requests:
  cpu: {{ int64 .Values.settings.worker.threads | quote }}
  memory: {{ .Values.resources.memory }}
limits:
  {{- with .Values.resources.cpuLimit }}
  cpu: {{ . | quote }}
  {{- end }}
  memory: {{ .Values.resources.memory }}
{{- end -}}

{{- define "gmv.env" -}}
- name: GMV_CONFIG
  value: /etc/gmv/settings/gmv.toml
{{- range $name, $value := .Values.env }}
- name: {{ $name | quote }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{/* Takes (list $ USER): a user of the ledger in the worker's place, such as one that may make it. */}}
{{- define "gmv.ledgerUserEnv" -}}
{{- with index . 1 }}
- name: GMV_LEDGER_USERNAME
  value: {{ .username | quote }}
- name: GMV_LEDGER_PASSWORD_FILE
  value: /etc/gmv/secrets/own/password
{{- end }}
{{- end -}}

{{- define "gmv.mounts" -}}
- name: settings
  mountPath: /etc/gmv/settings
  readOnly: true
- name: secrets
  mountPath: /etc/gmv/secrets
  readOnly: true
- name: temporary
  mountPath: /tmp
{{- end -}}

{{/* Takes (list $ CONFIGMAP USER): the name of that with the settings, and a user of the ledger for this pod, or {}. */}}
{{- define "gmv.volumes" -}}
{{- $root := index . 0 -}}
{{- $secrets := deepCopy $root.Values.secrets -}}
{{- with index . 2 -}}
{{- $_ := set $secrets "own" (dict "password" .password) -}}
{{- end -}}
- name: settings
  configMap:
    name: {{ index . 1 | quote }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      - downwardAPI: # so that there is a source where no secret is named
          items:
            - path: pod
              fieldRef:
                fieldPath: metadata.name
      {{- range $group, $files := $secrets }}
      {{- range $file, $from := $files }}
      - secret:
          name: {{ $from.secret | quote }}
          items:
            - key: {{ $from.key | quote }}
              path: {{ printf "%s/%s" $group $file | quote }}
      {{- end }}
      {{- end }}
- name: temporary
  emptyDir:
    sizeLimit: {{ $root.Values.resources.temporary }}
{{- end -}}
