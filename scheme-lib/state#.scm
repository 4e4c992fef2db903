;; scheme-lib/state: states of machines in files. Its help is data, see scheme-lib/util's `documentation`.

(##namespace
 ("scheme-lib/state#"
  read-state state? machine-save machine->bytes machine-capture machine-fork machine-restore-state! make-machine-for-state
  state-identity state-base state-limits state-pages state-imports state-arguments state-directories
  state-image state-image-hash image-hash state-stop state-thread state-hash
  state-recording? state-lost? state-entries state-begin state-end
  machine-record-to! machine-record-end! machine-replay!))
