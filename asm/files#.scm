;; asm/files: the files that sources are made of.
(##namespace ("asm/files#" source-bytes find-included same-file-key))
