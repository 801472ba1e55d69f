{{/* Ports, module and settings of each service. The names are those of compose.yaml. */}}

{{- define "workerpool.ports" -}}
{{- get (dict "core" "13000 23000" "chain-adapter" "13010 23010" "result-proxy" "13200 23200" "registry" "8888 18888" "sms" "13300 23300" "order-publisher" "13400 23400") . -}}
{{- end -}}

{{- define "workerpool.name" -}}
{{- printf "%s-%s" .root.Release.Name .service -}}
{{- end -}}

{{- define "workerpool.labels" -}}
app.kubernetes.io/name: {{ .service }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/part-of: workerpool
{{- end -}}

{{- define "workerpool.chain" -}}
IEXEC_CHAIN_ID: {{ .Values.chain.id | quote }}
IEXEC_HUB_ADDRESS: {{ .Values.chain.hub | quote }}
IEXEC_BLOCKCHAIN_NODE_ADDRESS: {{ .Values.chain.url | quote }}
{{- end -}}

{{/* Where a service of this release is, for the others. */}}
{{- define "workerpool.url" -}}
{{- $ports := splitList " " (include "workerpool.ports" .service) -}}
http://{{ include "workerpool.name" . }}:{{ first $ports }}
{{- end -}}

{{- define "workerpool.env.core" -}}
POOL_ADDRESS: {{ required "set pool.address" .Values.pool.address | quote }}
IEXEC_START_BLOCK_NUMBER: {{ .Values.pool.startBlock | quote }}
IEXEC_BLOCKCHAIN_NODE_ADDRESS: {{ .Values.chain.url | quote }}
IEXEC_GAS_PRICE_CAP: {{ .Values.chain.gasPriceCap | quote }}
IEXEC_CORE_PUBLIC_URL: {{ required "set urls.core" .Values.urls.core | quote }}
IEXEC_CONFIG_SERVER_URL: {{ required "set urls.registry" .Values.urls.registry | quote }}
IEXEC_RESULT_REPOSITORY_URL: {{ required "set urls.results" .Values.urls.results | quote }}
IEXEC_PLATFORM_REGISTRY: {{ include "workerpool.url" (dict "root" $ "service" "registry") | quote }}
IEXEC_CORE_CHAIN_ADAPTER_URL: {{ include "workerpool.url" (dict "root" $ "service" "chain-adapter") | quote }}
IEXEC_CORE_CHAIN_ADAPTER_PASSWORD_FILE: /run/secrets/workerpool/chain-adapter-password
IEXEC_CORE_WALLET_PATH: /run/secrets/workerpool/core-wallet
IEXEC_CORE_WALLET_PASSWORD_FILE: /run/secrets/workerpool/core-wallet-password
IEXEC_CORE_OPERATOR_USERNAME: {{ .Values.operatorUsername | quote }}
IEXEC_CORE_OPERATOR_PASSWORD_FILE: /run/secrets/workerpool/core-operator-password
IEXEC_CORE_MANAGEMENT_ACTUATORS: health,info,prometheus
MONGO_URI_FILE: /run/secrets/workerpool/mongo-uri-core
{{- end -}}

{{- define "workerpool.env.chain-adapter" -}}
{{ include "workerpool.chain" . }}
WORKERPOOL_HTTP_BIND_ADDRESS: "::"
WORKERPOOL_GRPC_BIND_ADDRESS: "::"
IEXEC_BLOCK_TIME: {{ .Values.chain.blockTime | quote }}
IEXEC_IS_SIDECHAIN: {{ .Values.chain.sidechain | quote }}
IEXEC_GAS_PRICE_MULTIPLIER: {{ .Values.chain.gasPriceMultiplier | quote }}
IEXEC_GAS_PRICE_CAP: {{ .Values.chain.gasPriceCap | quote }}
IEXEC_BLOCKCHAIN_ADAPTER_API_PASSWORD_FILE: /run/secrets/workerpool/chain-adapter-password
IEXEC_BLOCKCHAIN_ADAPTER_API_WALLET_PATH: /run/secrets/workerpool/core-wallet
IEXEC_BLOCKCHAIN_ADAPTER_API_WALLET_PASSWORD_FILE: /run/secrets/workerpool/core-wallet-password
MONGO_URI_FILE: /run/secrets/workerpool/mongo-uri-chain-adapter
{{- end -}}

{{- define "workerpool.env.result-proxy" -}}
{{ include "workerpool.chain" . }}
POOL_ADDRESS: {{ .Values.pool.address | quote }}
IEXEC_BLOCK_TIME: {{ .Values.chain.blockTime | quote }}
IEXEC_RESULT_PROXY_PUBLIC_URL: {{ .Values.urls.results | quote }}
IEXEC_RESULT_PROXY_TEMP_DIR: /var/lib/workerpool/uploads
{{- with .Values.ipfsUrl }}
IEXEC_IPFS_URL: {{ . | quote }}
{{- end }}
MONGO_URI_FILE: /run/secrets/workerpool/mongo-uri-result-proxy
{{- end -}}

{{- define "workerpool.env.registry" -}}
IEXEC_CHAIN_ID: {{ .Values.chain.id | quote }}
IEXEC_HUB_ADDRESS: {{ .Values.chain.hub | quote }}
IEXEC_BLOCKCHAIN_NODE_ADDRESS: {{ .Values.chain.publicUrl | default .Values.chain.url | quote }}
IEXEC_BLOCK_TIME: {{ .Values.chain.blockTime | quote }}
IEXEC_IS_SIDECHAIN: {{ .Values.chain.sidechain | quote }}
{{- end -}}

{{- define "workerpool.env.sms" -}}
{{ include "workerpool.chain" . }}
IEXEC_SMS_PUBLIC_URL: {{ required "set urls.sms" .Values.urls.sms | quote }}
IEXEC_SMS_STORAGE_ENCRYPTION_AES_KEY_PATH: /var/lib/workerpool/sms-aes.key
IEXEC_SMS_ADMIN_STORAGE_LOCATION: /var/lib/workerpool/backup
MONGO_URI_FILE: /run/secrets/workerpool/mongo-uri-sms
{{- end -}}

{{- define "workerpool.env.order-publisher" -}}
POOL_ADDRESS: {{ .Values.pool.address | quote }}
IEXEC_BLOCKCHAIN_NODE_ADDRESS: {{ .Values.chain.url | quote }}
IEXEC_CONFIG_SERVER_URL: {{ include "workerpool.url" (dict "root" $ "service" "registry") | quote }}
IEXEC_PLATFORM_REGISTRY: {{ include "workerpool.url" (dict "root" $ "service" "registry") | quote }}
IEXEC_CORE_URL: {{ include "workerpool.url" (dict "root" $ "service" "core") | quote }}
IEXEC_CORE_OPERATOR_USERNAME: {{ .Values.operatorUsername | quote }}
IEXEC_CORE_OPERATOR_PASSWORD_FILE: /run/secrets/workerpool/core-operator-password
ORDER_PUBLISHER_CHAIN_ADAPTER_URL: {{ include "workerpool.url" (dict "root" $ "service" "chain-adapter") | quote }}
ORDER_PUBLISHER_CHAIN_ADAPTER_PASSWORD_FILE: /run/secrets/workerpool/chain-adapter-password
ORDER_PUBLISHER_WALLET_PATH: /run/secrets/workerpool/core-wallet
ORDER_PUBLISHER_WALLET_PASSWORD_FILE: /run/secrets/workerpool/core-wallet-password
ORDER_PUBLISHER_JOURNAL: /var/lib/workerpool/orders.sqlite
MARKET_API_URL: {{ .Values.market.url | quote }}
WORKERPOOL_PRICE: {{ .Values.market.price | quote }}
CATEGORY: {{ .Values.market.categories | quote }}
{{- end -}}
