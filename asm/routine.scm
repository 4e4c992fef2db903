;; Other code for a routine of a machine that is there already, for all who call it.
;;
;;   (asm-routine! machine 'square "mul r1, r1, r1\n ret")   => #(66560 66566 #f)
;;
;; The code stands where the old did if it fits there: before the next symbol that it does not bring itself, or
;; the end of the mapped code. Else it is put behind all that is mapped, and the old entry becomes a jump there;
;; the symbol then means the new place.
(module asm/routine)
(use scheme-lib/util)
(use scheme-lib/machine)
(use vm-ext/gambit/vm)
(use asm/assembly)
(use asm/define)
(use asm/program)
(use asm/live)
(declare (block))

(define page-size 65536)

;; How many bytes the code takes at an address, and the labels that it brings.
(define (measure machine code name source at)
  (assemble-value code source at
                  (lambda (symbol) (if (eq? symbol name) at (machine-symbol machine symbol)))
                  (machine-imports machine)
                  (map row->definition (machine-definitions machine))
    (lambda (a source)
      (cons (u8vector-length (assembly-bytes a))
            (map symbol-entry-name (assembly-symbol-list a))))))

;; The end of the executable region that holds an address.
(define (region-end machine address)
  (let ((region (find (lambda (region)
                        (and (<= (car region) address)
                             (< address (+ (car region) (cadr region)))
                             (string-index (caddr region) #\x)))
                      (machine-regions machine))))
    (if region
        (+ (car region) (cadr region))
        (error (text "there is no code at " (hex-address address) ", where a routine should be")))))

;; The address of the first symbol behind the entry that stays, or #f.
(define (next-symbol machine entry end own)
  (fold (lambda (symbol nearest)
          (let ((value (cdr symbol)))
            (if (and (< entry value end)
                     (not (memq (string->symbol (text (car symbol))) own))
                     (or (not nearest) (< value nearest)))
                value
                nearest)))
        #f
        (machine-symbols machine)))

;; Room behind everything that is mapped, readable and executable.
(define (new-room machine length)
  (let* ((regions (machine-regions machine))
         (end (fold max 0 (map (lambda (region) (+ (car region) (cadr region))) regions)))
         (start (if (> (+ end length) (- (expt 2 64) page-size))
                    (error "there is no room behind the mapped memory for the routine's new place")
                    end)))
    (machine-map! machine start length 'rx)
    start))

(define-documented (asm-routine! machine name code #!key (source "asm"))
  "Puts other code, source text or a list as in (asm '(…)), in the place of the routine at the symbol NAME: where
that stands if the code fits there, else elsewhere, and a jump to it at the old entry. Gives #(start end moved?)."
  (let* ((name (if (string? name) (string->symbol name) name))
         (entry (or (machine-symbol machine name)
                    (error (text "the machine has no routine `" name "`"
                                 (did-you-mean (symbol->string name)
                                               (map (lambda (symbol) (text (car symbol))) (machine-symbols machine)))))))
         (measured (measure machine code name source entry))
         (size (car measured))
         (end (region-end machine entry))
         (next (next-symbol machine entry end (cdr measured))))
    (if (<= size (- (or next end) entry))
        (let ((behind (asm-at! machine entry code name: source)))
          (machine-symbol-set! machine name entry)
          ;; What is left of the old code would be disassembled as something else.
          (if next (machine-memory-set! machine behind (make-u8vector (- next behind) nop)))
          (vector entry behind #f))
        (move-routine! machine name code source entry size (- (or next end) entry)))))

(define nop (u8vector-ref (asm '(nop)) 0))

(define (move-routine! machine name code source entry size room)
  (let ((start (new-room machine (+ size 64))))
    (with-exception-catcher
     (lambda (exception)
       (machine-symbol-set! machine name entry)
       (machine-unmap! machine start (+ size 64))
       (raise exception))
     (lambda ()
       (let ((jump (list (list 'jump start))))
         (if (> (u8vector-length (asm jump at: entry)) room)
             (error (text "the routine `" name "` has only " room " bytes before the next symbol, too few for a jump to a new place")))
         (machine-symbol-set! machine name start)
         (let ((end (asm-at! machine start code name: source)))
           (machine-symbol-set! machine name start)
           (asm-at! machine entry jump)
           (vector start end #t)))))))
