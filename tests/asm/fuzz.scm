;; Sources with mistakes that chance put there: each must assemble, or raise an asm-error. Nothing else may
;; come out, and nothing may hang.
;;
;;   SEED=1 FIRST=0 COUNT=1000 gsi -e '(load "scheme-lib/boot.scm")' tests/asm/fuzz.scm
;;
;; Each source has a number and depends on it and the seed alone, so that one can be had again.
(use scheme-lib/util)
(use asm/assembler)

(define seed (string->number (getenv "SEED" "1")))
(define first (string->number (getenv "FIRST" "0")))
(define count (string->number (getenv "COUNT" "1000")))
(define patience 120) ; seconds for one source, of a host that may be busy otherwise

(define folder (path-directory (path-expand (this-source-file))))
(load (path-expand "mutation.scm" folder))

(define originals
  (list->vector
   (map (lambda (name) (read-file-bytes (path-expand name folder)))
        '("listing.s" "fuzz.s"))))

(define source (make-random-source))
(define random (random-source-make-integers source))

(define (random-element vector)
  (vector-ref vector (random (vector-length vector))))

(define snippets
  (vector-map string->utf8
              '#("(" ")" "\"" "'" ";" "\n" "," ":" "." "#" "#|" "|" "\\" "r1" "r99999999999" "t3" "-" "0x" "1e9" "9999999999"
                 "(define-instruction (own (a d) (b s)) (add a b b))\nown r1, r2\n" "own r1\n" "(list" "(address \"x\")" "(car 1)" ".align " ".zero " ".byte " ".data\n" "x:" "jump x\n" "add "
                 "(delay-address (here))" ".endif\n" ".else\n" ".rept 3\n" ".endr\n" ".if 0\n" "1:" "1f" ".Lx" "=" ".include " "#\\" "[" "`" "'(" "\x3bb;" "\x0;")))

;; Bytes removed, changed, doubled, or put in.
(define (mutate bytes)
  (mutation bytes 12 random
    (lambda (before here behind)
      (case (random 5)
        ((0) (list before behind))
        ((1) (list before here here behind))
        ((2) (list before (u8vector (random 256)) here behind))
        ((3) (list before (random-element snippets) here behind))
        (else (list before (random-element snippets) behind))))))

(define (mutate-often bytes times)
  (if (= times 0) bytes (mutate-often (mutate bytes) (- times 1))))

(define path (string-append (temporary-path "comet-vm-fuzz") ".s"))

(define (damaged-source number)
  (random-source-pseudo-randomize! source seed number)
  (mutate-often (random-element originals) (+ 1 (random 4))))

(define (outcome bytes)
  (write-file-bytes path bytes)
  (let* ((thread (make-thread
                  (lambda ()
                    (with-exception-catcher
                     (lambda (exception)
                       (if (asm-error? exception)
                           (begin (asm-error->text exception) 'refused)
                           (exception->text exception)))
                     (lambda () (with-captured-output (lambda () (asm-file path))) 'assembled))))))
    (thread-start! thread)
    (thread-join! thread patience "it hangs")))

(define (run)
  (let loop ((i first) (assembled 0) (refused 0))
    (if (= i (+ first count))
        (begin
          (delete-file path)
          (println seed ": " assembled " assembled, " refused " refused")
          (println (+ assembled refused) " passed, 0 failed")
          (exit 0))
        (let ((result (outcome (damaged-source i))))
          (case result
            ((assembled) (loop (+ i 1) (+ assembled 1) refused))
            ((refused) (loop (+ i 1) assembled (+ refused 1)))
            (else
             (println "source " i " of seed " seed ", kept as " path ": " result)
             (println (+ assembled refused) " passed, 1 failed")
             (exit 1)))))))

(run)
