;; Libraries of objects, in the layout that ar has on other systems, of GNU's kind: `ar t` lists ours, and
;; ours takes what `ar` made.
;;
;;   !<arch>\n, then for each member: its name (16 characters, ended by /), time, user, group (12, 6, 6),
;;   mode in octal (8), length in decimal (10), `\n; its bytes; a newline where their number is odd.
;;   Names of more than 15 characters stand in a member called //, each ended by / and a newline; /N means
;;   the one at offset N. A member called / or /SYM64/ is an index, which nothing here needs.
;;
;; Times, users and groups are 0, so that the same members give the same bytes.
(module asm/archive)
(use scheme-lib/util)
(use asm/diagnostic)
(use asm/assembly)
(use asm/object)
(use asm/object-format)
(use asm/object-read)
(declare (standard-bindings) (extended-bindings) (block))

(define-type archive
  constructor: construct-archive
  name
  members          ; a list
  (objects-made))  ; of them, when they are first asked for

(define-type member name bytes)

(define-documented (make-archive name members)
  "An archive of members, each of (make-member name bytes)."
  (construct-archive name members #f))

(define magic (string->utf8 "!<arch>\n"))
(define header-length 60)
(define longest-plain-name 15)

(define (archive-bytes? bytes)
  (and (>= (u8vector-length bytes) 8) (equal? (subu8vector bytes 0 8) magic)))

(define (refuse name offset . parts)
  (raise (make-asm-error
          (list (make-asm-diagnostic name 0 0
                                     (text "not a valid archive: offset " offset ": " (apply text parts)
                                           "; the file is damaged or its writer is at fault: make it again")
                                     '() #f)))))

;; ---- reading -----------------------------------------------------------------------------------------

(define-documented (bytes->archive bytes name)
  "The archive that a file's bytes are, a u8vector; NAME is what errors call it. Raises an asm-error where the bytes
are none."
  (let ((length (u8vector-length bytes)))
    (define (field at start width)
      (string-trim (utf8->string (subu8vector bytes (+ at start) (+ at start width)))))
    (define (length-of at)
      (let ((n (decimal (field at 48 10))) (left (- length at header-length)))
        (if (not n) (refuse name (+ at 48) "the length of a member is no number"))
        (if (> n left) (refuse name (+ at 48) "a member of " n " bytes is announced, " left " are left"))
        n))
    (define (long-name names offset at)
      (let ((end (and offset (< offset (u8vector-length names)) (u8vector-index names 10 offset))))
        (if (not end) (refuse name at "the long name of a member is not there"))
        (without-slash (utf8->string (subu8vector names offset end)))))
    (if (not (archive-bytes? bytes)) (refuse name 0 "it does not begin as archives do"))
    (let loop ((at 8) (names (u8vector)) (members '()))
      (cond ((>= at length) (make-archive name (reverse members)))
            ((> (+ at header-length) length) (refuse name at "the file ends within the header of a member"))
            ((not (and (= 96 (u8vector-ref bytes (+ at 58))) (= 10 (u8vector-ref bytes (+ at 59)))))
             (refuse name (+ at 58) "the header of a member does not end as it should"))
            (else
             (let* ((count (length-of at))
                    (start (+ at header-length))
                    (content (subu8vector bytes start (+ start count)))
                    (next (+ start count (modulo count 2)))
                    (shown (field at 0 16)))
               (cond ((string=? shown "//") (loop next content members))
                     ((one-of? '("/" "/SYM64/") shown) (loop next names members))
                     (else
                      (let ((member-name
                             (if (string-prefix? "/" shown)
                                 (long-name names (decimal (substring shown 1 (string-length shown))) at)
                                 (without-slash shown))))
                        (if (not (possible-member-name? member-name))
                            (refuse name at "a member's name, " (written member-name) ", is no file's"))
                        (loop next names (cons (make-member member-name content) members)))))))))))

(define (decimal digits)
  (and (not (string=? digits ""))
       (every (lambda (c) (char<=? #\0 c #\9)) (string->list digits))
       (string->number digits 10)))

(define (one-of? names name) (any (lambda (other) (string=? other name)) names))

(define (without-slash name)
  (if (string-suffix? "/" name) (substring name 0 (- (string-length name) 1)) name))

;; A name that leads to no other folder.
(define (possible-member-name? name)
  (and (possible-name? name)
       (not (one-of? '("" "." "..") name))
       (not (string-index name #\/))))

;; ---- writing -----------------------------------------------------------------------------------------

(define (plain-name? name)
  (let ((bytes (string->utf8 name)))
    (and (<= (u8vector-length bytes) longest-plain-name)
         (= (u8vector-length bytes) (string-length name))
         (string=? name (string-trim name)))))

(define-documented (archive->bytes archive)
  "The archive's file, as a u8vector."
  (let* ((long (filter (lambda (name) (not (plain-name? name))) (map member-name (archive-members archive))))
         (names (map (lambda (name) (string->utf8 (text name "/\n"))) long)))
    ;; Each long name is used once, in order.
    (let loop ((members (archive-members archive)) (offset 0) (names-left names) (parts '()))
      (if (null? members)
          (u8vector-concatenate
           (append (list magic)
                   (if (null? names) '() (member-parts "//" (u8vector-concatenate names)))
                   (reverse parts)))
          (let ((member (car members)))
            (define (add field)
              (fold cons parts (member-parts field (member-bytes member))))
            (if (plain-name? (member-name member))
                (loop (cdr members) offset names-left (add (text (member-name member) "/")))
                (loop (cdr members) (+ offset (u8vector-length (car names-left))) (cdr names-left)
                      (add (text "/" offset)))))))))

(define (member-parts name bytes)
  (define (field value width) (string-pad-right (text value) width))
  (list (string->utf8 (string-append (field name 16) (field 0 12) (field 0 6) (field 0 6) (field "100644" 8)
                                     (field (u8vector-length bytes) 10) "`\n"))
        bytes
        (if (odd? (u8vector-length bytes)) (u8vector 10) (u8vector))))

;; ---- members -----------------------------------------------------------------------------------------

(define-documented (archive-with-members archive members)
  "The archive with the members of a list: those whose name it has already are replaced where they stand; the others
join at its end."
  (let ((before (archive-members archive)))
    (define (table-of members)
      (let ((table (make-table test: equal?)))
        (for-each (lambda (member) (table-set! table (member-name member) member)) members)
        table))
    (let ((there (table-of before)) (new (table-of members)))
      (make-archive (archive-name archive)
                    (append (map (lambda (member) (table-ref new (member-name member) member)) before)
                            (remove (lambda (member) (table-ref there (member-name member) #f)) members))))))

(define-documented (archive-without-members archive names)
  "The archive without the members of these names."
  (make-archive (archive-name archive)
                (remove (lambda (member) (one-of? names (member-name member))) (archive-members archive))))

;; How errors and the linker call a member: lib.a(f.o).
(define (member-full-name archive member)
  (text (archive-name archive) "(" (member-name member) ")"))

(define (member->object archive member)
  (let ((name (member-full-name archive member)) (bytes (member-bytes member)))
    (if (not (object-bytes? bytes))
        (raise (make-asm-error
                (list (make-asm-diagnostic name 0 0 "this member of the archive is no object" '() #f)))))
    (bytes->object bytes name)))

(define-documented (archive-objects archive)
  "The members of an archive as objects, which they must be."
  (or (archive-objects-made archive)
      (let ((objects (map (lambda (member) (member->object archive member)) (archive-members archive))))
        (archive-objects-made-set! archive objects)
        objects)))
