" Other assemblers' sources end with .s too: those of Comet VM have a Scheme form or a host call near their beginning.
autocmd BufNewFile,BufRead *.s if match(getline(1, 200), '^\s*(\|\<hcall\>') >= 0 | set filetype=cometasm | endif
