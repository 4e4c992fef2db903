;; Macros for bytes in memory: a library of this example's own, found through COMET_PATH.
;;
;;   (use words/bytes)
;;   (for-bytes r3 r1 r2 (list 'add r4 r4 r3))     adds the bytes from r1 up to, not including, r2 to r4
(module words/bytes)
(use asm/macro)

;; Code that does `body` for each byte, which is in a register then; `from` is the byte's address, and in the end `end`.
(define (for-bytes byte from end . body)
  (let ((again (macro-unique-name "byte"))
        (test (macro-unique-name "test")))
    (list (list 'jump test)
          (list 'label again)
          (list 'ldu8 byte from)
          body
          (list 'addi from from 1)
          (list 'label test)
          (list 'bne from end again))))
