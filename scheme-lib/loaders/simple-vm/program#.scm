;; scheme-lib/loaders/simple-vm/program: programs of the Simple VM, and their files.
(##namespace
 ("scheme-lib/loaders/simple-vm/program#"
  make-program program-data program-code program-symbols program-lines
  program-entry program-instructions header-length
  simple-vm-bytes? bytes->program program->bytes))
