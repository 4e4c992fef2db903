;; scheme-lib/machine: machines to talk to. Every verb begins with machine-; its help is data, see
;; scheme-lib/util's `documentation`.

(##namespace
 ("scheme-lib/machine#"
  ;; making and loading
  make-machine machine-of-fork machine? machine-handle machine-load! machine-reset! machine-restart! machine-entry
  machine-arguments-set! machine-environment-set! machine-directory! machine-close-files! machine-grant! machine-revoke! machine-random-seed-set! machine-limits
  machine-limits-set! machine-quota-set! machine-grant-info config-limits
  ;; running
  machine-run! machine-observe! call-interruptibly make-observation observation-events
  event? event-kind event-count event-pc event-place event-length event-before event-after
  machine-pause-for-breakpoint machine-step! machine-interrupt! machine-deadline-set!
  stop? stop-reason stop-trap stop-pc stop-address stop-message stop-executed stop-count
  stop-exit-status stop-host-call stop-watchpoint stop-access stop-thread stop-limit stop-limit->text stop-executed-set! stop->text make-stop stop->vector
  machine-trap-kinds
  ;; registers and threads
  machine-register machine-register-set! machine-registers register-number
  machine-pc machine-pc-set! machine-count machine-activations machine-depth
  activation-level activation-function activation-pc activation-window
  machine-make-thread! machine-threads machine-free-thread! machine-thread-space every-thread
  machine-current-thread machine-slice-left machine-schedule-set! machine-host-threads-set! machine-thread-standing
  machine-catch-traps!
  machine-post-event!
  ;; memory
  machine-memory machine-memory-set! machine-peek machine-peek-signed machine-poke! machine-string
  machine-map! machine-unmap! machine-protect! machine-regions machine-make-space! machine-free-space!
  machine-disassemble protection->text ->protection
  ;; symbols
  machine-symbol-table machine-symbols machine-symbol machine-symbol-set! machine-symbol-at
  machine-line-at machine-expansions-at machine-address machine-address->text
  ;; instructions
  machine-definitions machine-define! machine-redefine! machine-executed
  ;; snapshots
  machine-snapshot machine-restore! machine-snapshot? machine-free-snapshot! machine-hash machine-statistics
  machine-snapshot-bytes machine-memory-differences machine-memory-written machine-record! machine-recording
  machine-keep-log! machine-resume-log! machine-drop-log!
  ;; stopping places
  machine-forget-stopping-places!
  machine-break! machine-unbreak! machine-breakpoints machine-watch! machine-unwatch! machine-watchpoints
  ;; the outside
  machine-host-call! machine-host-call-name machine-host-call-number machine-complete-host-call! machine-host-argument machine-stream machine-stream-set!))
