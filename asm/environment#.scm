;; asm/environment: the Scheme that an assembly source runs in.
(##namespace ("asm/environment#"
  call-with-environment environment-start-pass! environment-eval environment-call with-fresh-random-state
  environment-variable environment-source-name-set!
  environment-note-origin! environment-origin environment-places environment-all-places
  environment-define! environment-names environment-reserved?))
