(##namespace ("repl/options#"
  parse-options option-value option-values
  usage-error usage-error? usage-error-message
  status-usage status-bad-data status-no-input status-internal status-system status-no-permission
  status-out-of-output status-out-of-fuel status-out-of-time status-waiting status-interrupted status-trap status-output-closed
  exit-with say-on-stderr))
