_copilot() {
    local i cur prev opts cmd
    COMPREPLY=()
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        cur="$2"
    else
        cur="${COMP_WORDS[COMP_CWORD]}"
    fi
    prev="$3"
    cmd=""
    opts=""

    for i in "${COMP_WORDS[@]:0:COMP_CWORD}"
    do
        case "${cmd},${i}" in
            ",$1")
                cmd="copilot"
                ;;
            copilot,completions)
                cmd="copilot__subcmd__completions"
                ;;
            copilot,doctor)
                cmd="copilot__subcmd__doctor"
                ;;
            copilot,download)
                cmd="copilot__subcmd__download"
                ;;
            copilot,help)
                cmd="copilot__subcmd__help"
                ;;
            copilot,inspect)
                cmd="copilot__subcmd__inspect"
                ;;
            copilot,make)
                cmd="copilot__subcmd__make"
                ;;
            copilot,man)
                cmd="copilot__subcmd__man"
                ;;
            copilot,ready)
                cmd="copilot__subcmd__ready"
                ;;
            copilot,run)
                cmd="copilot__subcmd__run"
                ;;
            copilot,sidecar)
                cmd="copilot__subcmd__sidecar"
                ;;
            copilot,template)
                cmd="copilot__subcmd__template"
                ;;
            copilot,watch)
                cmd="copilot__subcmd__watch"
                ;;
            copilot__subcmd__help,completions)
                cmd="copilot__subcmd__help__subcmd__completions"
                ;;
            copilot__subcmd__help,doctor)
                cmd="copilot__subcmd__help__subcmd__doctor"
                ;;
            copilot__subcmd__help,download)
                cmd="copilot__subcmd__help__subcmd__download"
                ;;
            copilot__subcmd__help,help)
                cmd="copilot__subcmd__help__subcmd__help"
                ;;
            copilot__subcmd__help,inspect)
                cmd="copilot__subcmd__help__subcmd__inspect"
                ;;
            copilot__subcmd__help,make)
                cmd="copilot__subcmd__help__subcmd__make"
                ;;
            copilot__subcmd__help,man)
                cmd="copilot__subcmd__help__subcmd__man"
                ;;
            copilot__subcmd__help,ready)
                cmd="copilot__subcmd__help__subcmd__ready"
                ;;
            copilot__subcmd__help,run)
                cmd="copilot__subcmd__help__subcmd__run"
                ;;
            copilot__subcmd__help,sidecar)
                cmd="copilot__subcmd__help__subcmd__sidecar"
                ;;
            copilot__subcmd__help,template)
                cmd="copilot__subcmd__help__subcmd__template"
                ;;
            copilot__subcmd__help,watch)
                cmd="copilot__subcmd__help__subcmd__watch"
                ;;
            *)
                ;;
        esac
    done

    case "${cmd}" in
        copilot)
            opts="-h -V --config --err-output-name --exit-zero-on-error --exit-code --strict --log-format --termination-log --max-memory --max-connections --storage.type --storage.stow.kind --storage.stow.config --storage.container --storage.enable-multicontainer --storage.limits.maxDownloadMBs --storage.connection.endpoint --storage.connection.auth-type --storage.connection.access-key --storage.connection.secret-key --storage.connection.region --storage.connection.disable-ssl --storage.single-store --storage.s3.sign-payload --storage.s3.upload-checksum --storage.defaultHttpClient.caFile --logger.level --logger.show-source --logger.mute --logger.formatter.type --help --version download sidecar ready run inspect make doctor watch template completions man help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 1 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --err-output-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --exit-zero-on-error)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --exit-code)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --strict)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --termination-log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-memory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.stow.kind)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.stow.config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.container)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.enable-multicontainer)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.limits.maxDownloadMBs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.endpoint)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.auth-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.access-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.secret-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.region)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.disable-ssl)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.single-store)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.s3.sign-payload)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.s3.upload-checksum)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.defaultHttpClient.caFile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.level)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.show-source)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.mute)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.formatter.type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        copilot__subcmd__completions)
            opts="-h --help bash elvish fish powershell zsh"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        copilot__subcmd__doctor)
            opts="-o -x -f -i -u -t -h -V --json --pod --probe --from-remote --to-local-dir --expect-size --to --to-output-prefix --to-raw-output --from-local-dir --interface --meta-output-name --upload-mode --timeout --watcher --main-container --ignore-container --pod-cgroup --proc-root --poll-fast --poll-slow --main-start-timeout --term-wait --settle --on-main-failure --max-simple-size --blob-names --struct-outputs --timeline --pod-name --config --err-output-name --exit-zero-on-error --exit-code --strict --log-format --termination-log --max-memory --max-connections --storage.type --storage.stow.kind --storage.stow.config --storage.container --storage.enable-multicontainer --storage.limits.maxDownloadMBs --storage.connection.endpoint --storage.connection.auth-type --storage.connection.access-key --storage.connection.secret-key --storage.connection.region --storage.connection.disable-ssl --storage.single-store --storage.s3.sign-payload --storage.s3.upload-checksum --storage.defaultHttpClient.caFile --logger.level --logger.show-source --logger.mute --logger.formatter.type --help --version"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --pod)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --from-remote)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --to-local-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --expect-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --to)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --to-output-prefix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -o)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --to-raw-output)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -x)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --from-local-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -f)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --interface)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -i)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --meta-output-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --upload-mode)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -u)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -t)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --watcher)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --main-container)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ignore-container)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --pod-cgroup)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --proc-root)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll-fast)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll-slow)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --main-start-timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --term-wait)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --settle)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --on-main-failure)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-simple-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --blob-names)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --struct-outputs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeline)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --pod-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --err-output-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --exit-zero-on-error)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --exit-code)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --strict)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --termination-log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-memory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.stow.kind)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.stow.config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.container)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.enable-multicontainer)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.limits.maxDownloadMBs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.endpoint)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.auth-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.access-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.secret-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.region)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.disable-ssl)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.single-store)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.s3.sign-payload)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.s3.upload-checksum)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.defaultHttpClient.caFile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.level)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.show-source)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.mute)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.formatter.type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        copilot__subcmd__download)
            opts="-f -o -m -d -t -i -h -V --from --from-remote --to-output-prefix --to-local-dir --format --download-mode --file-input-layout --volume-size-limit --timeout --binary-inputs --input-interface --timeline --config --err-output-name --exit-zero-on-error --exit-code --strict --log-format --termination-log --max-memory --max-connections --storage.type --storage.stow.kind --storage.stow.config --storage.container --storage.enable-multicontainer --storage.limits.maxDownloadMBs --storage.connection.endpoint --storage.connection.auth-type --storage.connection.access-key --storage.connection.secret-key --storage.connection.region --storage.connection.disable-ssl --storage.single-store --storage.s3.sign-payload --storage.s3.upload-checksum --storage.defaultHttpClient.caFile --logger.level --logger.show-source --logger.mute --logger.formatter.type --help --version"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --from)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --from-remote)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -f)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --to-output-prefix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --to-local-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -o)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -m)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --download-mode)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -d)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --file-input-layout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --volume-size-limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -t)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --binary-inputs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --input-interface)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -i)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeline)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --err-output-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --exit-zero-on-error)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --exit-code)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --strict)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --termination-log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-memory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.stow.kind)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.stow.config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.container)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.enable-multicontainer)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.limits.maxDownloadMBs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.endpoint)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.auth-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.access-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.secret-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.region)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.disable-ssl)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.single-store)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.s3.sign-payload)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.s3.upload-checksum)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.defaultHttpClient.caFile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.level)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.show-source)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.mute)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.formatter.type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        copilot__subcmd__help)
            opts="download sidecar ready run inspect make doctor watch template completions man help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        copilot__subcmd__help__subcmd__completions)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        copilot__subcmd__help__subcmd__doctor)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        copilot__subcmd__help__subcmd__download)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        copilot__subcmd__help__subcmd__help)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        copilot__subcmd__help__subcmd__inspect)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        copilot__subcmd__help__subcmd__make)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        copilot__subcmd__help__subcmd__man)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        copilot__subcmd__help__subcmd__ready)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        copilot__subcmd__help__subcmd__run)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        copilot__subcmd__help__subcmd__sidecar)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        copilot__subcmd__help__subcmd__template)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        copilot__subcmd__help__subcmd__watch)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        copilot__subcmd__inspect)
            opts="-h -V --json --yaml --kind --config --err-output-name --exit-zero-on-error --exit-code --strict --log-format --termination-log --max-memory --max-connections --storage.type --storage.stow.kind --storage.stow.config --storage.container --storage.enable-multicontainer --storage.limits.maxDownloadMBs --storage.connection.endpoint --storage.connection.auth-type --storage.connection.access-key --storage.connection.secret-key --storage.connection.region --storage.connection.disable-ssl --storage.single-store --storage.s3.sign-payload --storage.s3.upload-checksum --storage.defaultHttpClient.caFile --logger.level --logger.show-source --logger.mute --logger.formatter.type --help --version"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --kind)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --err-output-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --exit-zero-on-error)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --exit-code)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --strict)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --termination-log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-memory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.stow.kind)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.stow.config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.container)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.enable-multicontainer)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.limits.maxDownloadMBs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.endpoint)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.auth-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.access-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.secret-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.region)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.disable-ssl)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.single-store)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.s3.sign-payload)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.s3.upload-checksum)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.defaultHttpClient.caFile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.level)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.show-source)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.mute)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.formatter.type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        copilot__subcmd__make)
            opts="-h -V --input --output --from --to --config --err-output-name --exit-zero-on-error --exit-code --strict --log-format --termination-log --max-memory --max-connections --storage.type --storage.stow.kind --storage.stow.config --storage.container --storage.enable-multicontainer --storage.limits.maxDownloadMBs --storage.connection.endpoint --storage.connection.auth-type --storage.connection.access-key --storage.connection.secret-key --storage.connection.region --storage.connection.disable-ssl --storage.single-store --storage.s3.sign-payload --storage.s3.upload-checksum --storage.defaultHttpClient.caFile --logger.level --logger.show-source --logger.mute --logger.formatter.type --help --version"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --input)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --output)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --from)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --to)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --err-output-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --exit-zero-on-error)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --exit-code)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --strict)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --termination-log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-memory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.stow.kind)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.stow.config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.container)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.enable-multicontainer)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.limits.maxDownloadMBs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.endpoint)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.auth-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.access-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.secret-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.region)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.disable-ssl)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.single-store)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.s3.sign-payload)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.s3.upload-checksum)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.defaultHttpClient.caFile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.level)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.show-source)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.mute)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.formatter.type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        copilot__subcmd__man)
            opts="-h --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        copilot__subcmd__ready)
            opts="-h -V --config --err-output-name --exit-zero-on-error --exit-code --strict --log-format --termination-log --max-memory --max-connections --storage.type --storage.stow.kind --storage.stow.config --storage.container --storage.enable-multicontainer --storage.limits.maxDownloadMBs --storage.connection.endpoint --storage.connection.auth-type --storage.connection.access-key --storage.connection.secret-key --storage.connection.region --storage.connection.disable-ssl --storage.single-store --storage.s3.sign-payload --storage.s3.upload-checksum --storage.defaultHttpClient.caFile --logger.level --logger.show-source --logger.mute --logger.formatter.type --help --version"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --err-output-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --exit-zero-on-error)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --exit-code)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --strict)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --termination-log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-memory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.stow.kind)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.stow.config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.container)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.enable-multicontainer)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.limits.maxDownloadMBs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.endpoint)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.auth-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.access-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.secret-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.region)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.disable-ssl)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.single-store)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.s3.sign-payload)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.s3.upload-checksum)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.defaultHttpClient.caFile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.level)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.show-source)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.mute)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.formatter.type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        copilot__subcmd__run)
            opts="-m -h -V --input --inputs --output --interface --check --to --image --keep --work-dir --json --input-data-dir --output-data-dir --format --file-input-layout --term-wait --config --err-output-name --exit-zero-on-error --exit-code --strict --log-format --termination-log --max-memory --max-connections --storage.type --storage.stow.kind --storage.stow.config --storage.container --storage.enable-multicontainer --storage.limits.maxDownloadMBs --storage.connection.endpoint --storage.connection.auth-type --storage.connection.access-key --storage.connection.secret-key --storage.connection.region --storage.connection.disable-ssl --storage.single-store --storage.s3.sign-payload --storage.s3.upload-checksum --storage.defaultHttpClient.caFile --logger.level --logger.show-source --logger.mute --logger.formatter.type --help --version"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --input)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --inputs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --output)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --interface)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --check)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --to)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --image)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --work-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --input-data-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --output-data-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -m)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --file-input-layout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --term-wait)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --err-output-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --exit-zero-on-error)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --exit-code)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --strict)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --termination-log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-memory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.stow.kind)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.stow.config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.container)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.enable-multicontainer)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.limits.maxDownloadMBs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.endpoint)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.auth-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.access-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.secret-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.region)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.disable-ssl)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.single-store)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.s3.sign-payload)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.s3.upload-checksum)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.defaultHttpClient.caFile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.level)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.show-source)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.mute)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.formatter.type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        copilot__subcmd__sidecar)
            opts="-o -x -f -i -u -t -h -V --to --to-output-prefix --to-raw-output --from-local-dir --interface --meta-output-name --upload-mode --timeout --watcher --main-container --ignore-container --pod-cgroup --proc-root --poll-fast --poll-slow --main-start-timeout --term-wait --settle --on-main-failure --max-simple-size --blob-names --struct-outputs --timeline --pod-name --config --err-output-name --exit-zero-on-error --exit-code --strict --log-format --termination-log --max-memory --max-connections --storage.type --storage.stow.kind --storage.stow.config --storage.container --storage.enable-multicontainer --storage.limits.maxDownloadMBs --storage.connection.endpoint --storage.connection.auth-type --storage.connection.access-key --storage.connection.secret-key --storage.connection.region --storage.connection.disable-ssl --storage.single-store --storage.s3.sign-payload --storage.s3.upload-checksum --storage.defaultHttpClient.caFile --logger.level --logger.show-source --logger.mute --logger.formatter.type --help --version"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --to)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --to-output-prefix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -o)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --to-raw-output)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -x)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --from-local-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -f)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --interface)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -i)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --meta-output-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --upload-mode)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -u)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -t)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --watcher)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --main-container)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ignore-container)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --pod-cgroup)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --proc-root)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll-fast)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll-slow)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --main-start-timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --term-wait)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --settle)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --on-main-failure)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-simple-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --blob-names)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --struct-outputs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeline)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --pod-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --err-output-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --exit-zero-on-error)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --exit-code)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --strict)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --termination-log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-memory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.stow.kind)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.stow.config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.container)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.enable-multicontainer)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.limits.maxDownloadMBs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.endpoint)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.auth-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.access-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.secret-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.region)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.disable-ssl)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.single-store)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.s3.sign-payload)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.s3.upload-checksum)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.defaultHttpClient.caFile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.level)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.show-source)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.mute)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.formatter.type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        copilot__subcmd__template)
            opts="-h -V --flyte --prefix --watcher --streaming --image --config --err-output-name --exit-zero-on-error --exit-code --strict --log-format --termination-log --max-memory --max-connections --storage.type --storage.stow.kind --storage.stow.config --storage.container --storage.enable-multicontainer --storage.limits.maxDownloadMBs --storage.connection.endpoint --storage.connection.auth-type --storage.connection.access-key --storage.connection.secret-key --storage.connection.region --storage.connection.disable-ssl --storage.single-store --storage.s3.sign-payload --storage.s3.upload-checksum --storage.defaultHttpClient.caFile --logger.level --logger.show-source --logger.mute --logger.formatter.type --help --version"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --flyte)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --prefix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --watcher)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --image)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --err-output-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --exit-zero-on-error)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --exit-code)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --strict)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --termination-log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-memory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.stow.kind)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.stow.config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.container)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.enable-multicontainer)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.limits.maxDownloadMBs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.endpoint)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.auth-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.access-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.secret-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.region)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.disable-ssl)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.single-store)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.s3.sign-payload)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.s3.upload-checksum)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.defaultHttpClient.caFile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.level)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.show-source)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.mute)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.formatter.type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        copilot__subcmd__watch)
            opts="-o -x -f -i -u -t -h -V --json --all --to --to-output-prefix --to-raw-output --from-local-dir --interface --meta-output-name --upload-mode --timeout --watcher --main-container --ignore-container --pod-cgroup --proc-root --poll-fast --poll-slow --main-start-timeout --term-wait --settle --on-main-failure --max-simple-size --blob-names --struct-outputs --timeline --pod-name --config --err-output-name --exit-zero-on-error --exit-code --strict --log-format --termination-log --max-memory --max-connections --storage.type --storage.stow.kind --storage.stow.config --storage.container --storage.enable-multicontainer --storage.limits.maxDownloadMBs --storage.connection.endpoint --storage.connection.auth-type --storage.connection.access-key --storage.connection.secret-key --storage.connection.region --storage.connection.disable-ssl --storage.single-store --storage.s3.sign-payload --storage.s3.upload-checksum --storage.defaultHttpClient.caFile --logger.level --logger.show-source --logger.mute --logger.formatter.type --help --version"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --to)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --to-output-prefix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -o)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --to-raw-output)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -x)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --from-local-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -f)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --interface)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -i)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --meta-output-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --upload-mode)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -u)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -t)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --watcher)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --main-container)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ignore-container)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --pod-cgroup)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --proc-root)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll-fast)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll-slow)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --main-start-timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --term-wait)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --settle)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --on-main-failure)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-simple-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --blob-names)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --struct-outputs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --timeline)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --pod-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --err-output-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --exit-zero-on-error)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --exit-code)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --strict)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --termination-log)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-memory)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-connections)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.stow.kind)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.stow.config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.container)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.enable-multicontainer)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.limits.maxDownloadMBs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.endpoint)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.auth-type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.access-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.secret-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.region)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.connection.disable-ssl)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.single-store)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.s3.sign-payload)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.s3.upload-checksum)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --storage.defaultHttpClient.caFile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.level)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.show-source)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.mute)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --logger.formatter.type)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
    esac
}

if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -F _copilot -o nosort -o bashdefault -o default copilot
else
    complete -F _copilot -o bashdefault -o default copilot
fi
