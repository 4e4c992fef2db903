;; A small assembler of WebAssembly's binary format. It checks nothing, so that wrong modules can be made, too.
;;
;;   (wasm-assemble '((type (i32 i32) (i32))
;;                    (function 0 (i64 i64) (local.get 0) (local.get 1) (i32.add))     ; type, locals, code
;;                    (export "add" function 0)))
;;
;; Parts, in any order: (type params results), (import "m" "n" function TYPE), (import "m" "n" memory LEAST MOST),
;; (import "m" "n" table TYPE LEAST MOST), (import "m" "n" global TYPE MUTABLE?), (table TYPE LEAST MOST),
;; (memory LEAST MOST), (global TYPE MUTABLE? . code), (export "n" KIND INDEX), (start INDEX), (names (INDEX "n") ...),
;; (elements (CODE ...) FUNCTION ...), active in table 0, (passive FUNCTION ...), (declare FUNCTION ...),
;; (data (CODE ...) "text"), (data #f "text"), (custom "n" . bytes). A u8vector among instructions is taken as it is.
(module scheme-lib/loaders/wasm/assemble)
(use scheme-lib/util)
(use scheme-lib/leb128)
(declare (block))

(define (bytes . parts) (join parts))

(define (join parts)
  (u8vector-concatenate
   (map (lambda (part)
          (cond ((u8vector? part) part)
                ((list? part) (join part))
                (else (u8vector part))))
        parts)))

(define (wasm-leb n #!optional (signed? #f))
  (if signed? (sleb128-bytes n) (uleb128-bytes n)))

(define (wasm-name text)
  (let ((utf8 (string->utf8 text))) (bytes (wasm-leb (u8vector-length utf8)) utf8)))

(define (type-code type)
  (cdr (assq type '((i32 . #x7f) (i64 . #x7e) (f32 . #x7d) (f64 . #x7c) (funcref . #x70) (externref . #x6f)))))

(define (many items) (bytes (wasm-leb (length items)) items))

;; ---- instructions ------------------------------------------------------------------------------------

(define (names-from opcode . names) (map cons names (iota (length names) opcode)))

;; name -> opcode; behind the prefix 0xfc, 256 and more
(define wasm-opcodes
  (append
   (names-from #x00 'unreachable 'nop 'block 'loop 'if 'else)
   '((end . #x0b) (br . #x0c) (br_if . #x0d) (br_table . #x0e) (return . #x0f) (call . #x10) (call_indirect . #x11)
     (drop . #x1a) (select . #x1b) (select_t . #x1c) (local.get . #x20) (local.set . #x21) (local.tee . #x22)
     (global.get . #x23) (global.set . #x24) (table.get . #x25) (table.set . #x26))
   (names-from #x28 'i32.load 'i64.load 'f32.load 'f64.load 'i32.load8_s 'i32.load8_u 'i32.load16_s 'i32.load16_u
     'i64.load8_s 'i64.load8_u 'i64.load16_s 'i64.load16_u 'i64.load32_s 'i64.load32_u
     'i32.store 'i64.store 'f32.store 'f64.store 'i32.store8 'i32.store16 'i64.store8 'i64.store16 'i64.store32
     'memory.size 'memory.grow 'i32.const 'i64.const 'f32.const 'f64.const
     'i32.eqz 'i32.eq 'i32.ne 'i32.lt_s 'i32.lt_u 'i32.gt_s 'i32.gt_u 'i32.le_s 'i32.le_u 'i32.ge_s 'i32.ge_u
     'i64.eqz 'i64.eq 'i64.ne 'i64.lt_s 'i64.lt_u 'i64.gt_s 'i64.gt_u 'i64.le_s 'i64.le_u 'i64.ge_s 'i64.ge_u
     'f32.eq 'f32.ne 'f32.lt 'f32.gt 'f32.le 'f32.ge 'f64.eq 'f64.ne 'f64.lt 'f64.gt 'f64.le 'f64.ge
     'i32.clz 'i32.ctz 'i32.popcnt 'i32.add 'i32.sub 'i32.mul 'i32.div_s 'i32.div_u 'i32.rem_s 'i32.rem_u
     'i32.and 'i32.or 'i32.xor 'i32.shl 'i32.shr_s 'i32.shr_u 'i32.rotl 'i32.rotr
     'i64.clz 'i64.ctz 'i64.popcnt 'i64.add 'i64.sub 'i64.mul 'i64.div_s 'i64.div_u 'i64.rem_s 'i64.rem_u
     'i64.and 'i64.or 'i64.xor 'i64.shl 'i64.shr_s 'i64.shr_u 'i64.rotl 'i64.rotr
     'f32.abs 'f32.neg 'f32.ceil 'f32.floor 'f32.trunc 'f32.nearest 'f32.sqrt
     'f32.add 'f32.sub 'f32.mul 'f32.div 'f32.min 'f32.max 'f32.copysign
     'f64.abs 'f64.neg 'f64.ceil 'f64.floor 'f64.trunc 'f64.nearest 'f64.sqrt
     'f64.add 'f64.sub 'f64.mul 'f64.div 'f64.min 'f64.max 'f64.copysign
     'i32.wrap_i64 'i32.trunc_f32_s 'i32.trunc_f32_u 'i32.trunc_f64_s 'i32.trunc_f64_u
     'i64.extend_i32_s 'i64.extend_i32_u 'i64.trunc_f32_s 'i64.trunc_f32_u 'i64.trunc_f64_s 'i64.trunc_f64_u
     'f32.convert_i32_s 'f32.convert_i32_u 'f32.convert_i64_s 'f32.convert_i64_u 'f32.demote_f64
     'f64.convert_i32_s 'f64.convert_i32_u 'f64.convert_i64_s 'f64.convert_i64_u 'f64.promote_f32
     'i32.reinterpret_f32 'i64.reinterpret_f64 'f32.reinterpret_i32 'f64.reinterpret_i64
     'i32.extend8_s 'i32.extend16_s 'i64.extend8_s 'i64.extend16_s 'i64.extend32_s)
   (names-from #xd0 'ref.null 'ref.is_null 'ref.func)
   (names-from 256 'i32.trunc_sat_f32_s 'i32.trunc_sat_f32_u 'i32.trunc_sat_f64_s 'i32.trunc_sat_f64_u
     'i64.trunc_sat_f32_s 'i64.trunc_sat_f32_u 'i64.trunc_sat_f64_s 'i64.trunc_sat_f64_u
     'memory.init 'data.drop 'memory.copy 'memory.fill 'table.init 'elem.drop 'table.copy
     'table.grow 'table.size 'table.fill)))

(define (real-bytes x size)
  (let ((vector (if (= size 4) (f32vector x) (f64vector x))))
    (list->u8vector (map (lambda (i) (##u8vector-ref vector i)) (iota size)))))

;; Block types are a type's name, a number of a type, or nothing.
(define (immediate name x)
  (cond ((memq name '(i32.const i64.const)) (wasm-leb x #t))
        ((eq? name 'f32.const) (if (u8vector? x) x (real-bytes x 4)))
        ((eq? name 'f64.const) (if (u8vector? x) x (real-bytes x 8)))
        ((symbol? x) (u8vector (type-code x)))
        (else (wasm-leb x))))

(define (instruction form)
  (if (u8vector? form)
      form
      (let* ((name (car form))
             (opcode (cdr (or (assq name wasm-opcodes) (error "there is no WebAssembly instruction" name)))))
        (bytes (if (< opcode 256) opcode (bytes #xfc (wasm-leb (- opcode 256))))
               (if (and (memq name '(block loop if)) (null? (cdr form))) #x40 '())
               (case name
                 ((br_table) (wasm-leb (- (length (cdr form)) 1)))
                 ((select_t) (wasm-leb (length (cdr form))))
                 (else '()))
               (map (lambda (x) (immediate name x)) (cdr form))))))

(define (wasm-code forms) (bytes (map instruction forms)))

;; ---- sections ----------------------------------------------------------------------------------------

(define (wasm-section id content) (bytes id (wasm-leb (u8vector-length content)) content))

(define (types list) (many (map type-code list)))
(define (limits least #!optional (most #f))
  (if most (bytes 1 (wasm-leb least) (wasm-leb most)) (bytes 0 (wasm-leb least))))
(define (table-type type least #!optional (most #f)) (bytes (type-code type) (limits least most)))
(define (global-type type mutable?) (bytes (type-code type) (if mutable? 1 0)))
(define (expression forms) (bytes (wasm-code forms) #x0b))
(define (kind-code kind) (cdr (assq kind '((function . 0) (table . 1) (memory . 2) (global . 3)))))

(define (import-entry module name kind . type)
  (bytes (wasm-name module) (wasm-name name) (kind-code kind)
         (case kind
           ((function) (wasm-leb (car type)))
           ((table) (apply table-type type))
           ((memory) (apply limits type))
           (else (apply global-type type)))))

(define (body locals forms)
  (let ((content (bytes (many (map (lambda (type) (bytes 1 (type-code type))) locals)) (expression forms))))
    (bytes (wasm-leb (u8vector-length content)) content)))

(define (element-entry form)
  (case (car form)
    ((elements) (bytes 0 (expression (cadr form)) (many (map wasm-leb (cddr form)))))
    ((passive) (bytes 1 0 (many (map wasm-leb (cdr form)))))
    (else (bytes 3 0 (many (map wasm-leb (cdr form)))))))

(define (data-entry where text)
  (let ((utf8 (string->utf8 text)))
    (bytes (if where (bytes 0 (expression where)) 1) (wasm-leb (u8vector-length utf8)) utf8)))

(define (names-content entries)
  (let ((functions (many (map (lambda (entry) (bytes (wasm-leb (car entry)) (wasm-name (cadr entry)))) entries))))
    (bytes (wasm-name "name") 1 (wasm-leb (u8vector-length functions)) functions)))

(define (wasm-assemble forms)
  (define (of . kinds) (filter (lambda (form) (memq (car form) kinds)) forms))
  (define (section id forms entry)
    (if (null? forms) '() (wasm-section id (many (map entry forms)))))
  (define (with procedure) (lambda (form) (apply procedure (cdr form))))
  (bytes
   '#u8(0 97 115 109 1 0 0 0)
   (section 1 (of 'type) (lambda (form) (bytes #x60 (types (cadr form)) (types (caddr form)))))
   (section 2 (of 'import) (with import-entry))
   (section 3 (of 'function) (lambda (form) (wasm-leb (cadr form))))
   (section 4 (of 'table) (with table-type))
   (section 5 (of 'memory) (with limits))
   (section 6 (of 'global) (lambda (form) (bytes (global-type (cadr form) (caddr form)) (expression (cdddr form)))))
   (section 7 (of 'export)
            (with (lambda (name kind index) (bytes (wasm-name name) (kind-code kind) (wasm-leb index)))))
   (if (null? (of 'start)) '() (wasm-section 8 (wasm-leb (cadr (car (of 'start))))))
   (section 9 (of 'elements 'passive 'declare) element-entry)
   (if (null? (of 'data)) '() (wasm-section 12 (wasm-leb (length (of 'data)))))
   (section 10 (of 'function) (lambda (form) (body (caddr form) (cdddr form))))
   (section 11 (of 'data) (with data-entry))
   (map (lambda (form) (wasm-section 0 (names-content (cdr form)))) (of 'names))
   (map (lambda (form) (wasm-section 0 (bytes (wasm-name (cadr form)) (cddr form)))) (of 'custom))))
