;; scheme-lib/loaders/simple-vm/translate: programs of the Simple VM into images.
(##namespace ("scheme-lib/loaders/simple-vm/translate#" program->image table-address))
