;; asm/link: objects and archives to programs.
(##namespace ("asm/link#"
  link link-program link-contributions link-dropped link-extracted
  contribution-object contribution-section contribution-address contribution-length
  linker-input))
