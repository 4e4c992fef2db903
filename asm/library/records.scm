;; Records over memory: names for the offsets of fields, and loads and stores that know their sizes.
;;
;;     (use asm/library/records)
;;     ($record point (x s32) (y s32) (name 16))
;;             ldu64   r1, r2, point.name              ; offsets are numbers with names
;;             ($load r3 r2 point.x)                   ; lds32 r3, r2, 0
;;             ($store r2 r3 point.y)                  ; st32 r2, r3, 4
;;             .zero   (* 10 point.size)
;;
;; A field is a type (u8 to u64, s8 to s32, f32, f64), aligned to its size, or so many bytes. The record's size is
;; a multiple of its largest alignment. A debugger shows the record by its name: print r2 point.
(module asm/library/records)
(use scheme-lib/util)
(use asm/macro)
(declare (block))

;; type, size, load, store
(define types
  '((u8 1 ldu8 st8) (u16 2 ldu16 st16) (u32 4 ldu32 st32) (u64 8 ldu64 st64)
    (s8 1 lds8 st8) (s16 2 lds16 st16) (s32 4 lds32 st32) (s64 8 ldu64 st64)
    (f32 4 ldu32 st32) (f64 8 ldu64 st64)))

(define (aligned n to) (* to (quotient (+ n to -1) to)))

(define (field? field)
  (and (list? field) (= 2 (length field)) (symbol? (car field))
       (or (assq (cadr field) types)
           (and (fixnum? (cadr field)) (> (cadr field) 0)))))

(define (expand-record name fields)
  (define (full field) (string->symbol (text name "." field)))
  (if (not (and (symbol? name) (every field? fields)))
      (macro-fail "expected ($record name (field type) ...), where a type is "
                  (string-join (map text (map car types)) " ") " or a number of bytes, found "
                  (written (cons* '$record name fields))))
  (let loop ((left fields) (offset 0) (alignment 1) (definitions '()) (views '()))
    (if (null? left)
        (let ((size (aligned offset alignment)))
          (cons 'begin
                (reverse (cons* `(view ',name '(record ,size ,@(reverse views)))
                                `(define ,(full 'size) ,size)
                                definitions))))
        (let* ((type (assq (cadar left) types))
               (size (if type (cadr type) (cadar left)))
               (step (if type size 1))
               (at (aligned offset step))
               (field (full (caar left))))
          (loop (cdr left) (+ at size) (max alignment step)
                (cons* `(define ,field ,at)
                       `(asm/library/records#note-field! ',field ',(and type (car type)))
                       definitions)
                (cons (list (caar left) (if type (car type) (list 'bytes size)) at) views))))))

(define (note-field! field type)
  (macro-state-set! 'fields (cons (cons field type) (macro-state 'fields '()))))

;; ($load register base record.field), ($store base register record.field), in the order of the instructions
(define (expand-access source)
  (let* ((code (parts source))
         (name (datum (car code))))
    (if (not (and (= 4 (length code)) (symbol? (datum (cadddr code)))))
        (macro-fail "expected (" name (if (eq? name '$load) " register base" " base register") " record.field), found "
                    (written (datum source))))
    (macro-form source (symbol->string name)
      (list 'asm/library/records#access-code (list 'quote name) (cadr code) (caddr code)
            (list 'quote (datum (cadddr code))) (cadddr code)))))

(define (access-code name first second field offset)
  (let* ((known (assq field (macro-state 'fields '())))
         (row (and known (assq (cdr known) types))))
    (cond ((not known) (macro-fail "`" field "` is no field of a record that $record has defined before"
                                   (did-you-mean (symbol->string field)
                                                 (map symbol->string (map car (macro-state 'fields '()))))))
          ((not row) (macro-fail "`" field "` is bytes, which no register holds: load parts of them with an offset"))
          (else (list (if (eq? name '$load) (caddr row) (cadddr row)) first second offset)))))
