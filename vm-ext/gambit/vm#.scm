;; vm-ext/gambit/vm: the functions of comet.h. comet_space_new is vm-space-new, and so on.

(##namespace
 ("vm-ext/gambit/vm#"
  ;; errors
  vm-error? vm-error-status vm-error-address vm-error-message vm-status-name vm-version
  ;; machines
  vm-machine-new vm-machine-free vm-machine-reset vm-machine-config vm-machine-statistics vm-machine?
  vm-get-limits vm-set-limits
  ;; memory
  vm-space-new vm-space-free vm-map vm-unmap vm-protect vm-next-region vm-read vm-read! vm-write
  ;; threads and registers
  vm-thread-new vm-thread-free vm-next-thread vm-thread-get vm-set-pc vm-thread-restart vm-get-register vm-set-register
  vm-get-thread-register vm-set-thread-register vm-get-activation
  ;; running
  vm-run vm-every-thread vm-schedule-get vm-schedule-set vm-host-threads-set vm-catch-traps vm-post-event
  vm-observe vm-profile-new vm-profile-free vm-profile? vm-profile-get vm-profile-read
  vm-reason-name vm-trap-name vm-interrupt vm-set-poll vm-set-deadline vm-breakpoint-set
  vm-breakpoint-clear vm-watchpoint-set vm-watchpoint-clear
  ;; snapshots
  vm-snapshot-take vm-snapshot-restore vm-snapshot-free vm-snapshot-bytes vm-snapshot? vm-state-hash
  vm-snapshot-difference vm-snapshot-written vm-timeline-start vm-timeline-stop vm-timeline-keep vm-timeline-resume vm-timeline-drop
  vm-timeline-get
  ;; states in files
  vm-state? vm-state-save vm-state-capture vm-machine-fork vm-state-read vm-state-free vm-state-get vm-state-config vm-state-stop vm-state-image
  vm-state-import vm-state-argument vm-state-directory vm-state-restore vm-record-start vm-record-stop vm-timeline-load
  ;; host calls
  vm-host-grant vm-host-set-quota vm-host-granted vm-host-revoke vm-host-grant-standard vm-host-revoke-standard vm-host-import
  vm-host-import-name vm-host-complete vm-host-argument vm-set-stream vm-set-arguments vm-set-environment vm-grant-directory vm-close-files vm-set-random-seed
  ;; images
  vm-image-read vm-image-new vm-image-free vm-image? vm-image-add-section vm-image-add-symbol
  vm-image-add-line vm-image-add-lines vm-image-add-expansion vm-image-add-view vm-image-add-import vm-image-set-entry
  vm-image-write vm-image-section vm-image-symbol vm-image-line vm-image-expansion vm-image-view vm-image-import
  vm-image-entry vm-image-find-symbol vm-image-symbol-at
  vm-image-line-at vm-image-load
  ;; objects
  vm-linker-new vm-linker-add vm-linker-link
  ;; the instruction set
  vm-isa-instruction vm-isa vm-decode vm-disassemble
  vm-machine-define vm-image-add-instruction vm-isa-definition vm-treat vm-treated
  ;; files
  vm-checksum))
