# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_copilot_global_optspecs
    string join \n config= err-output-name= exit-zero-on-error= exit-code= strict= log-format= termination-log= max-memory= max-connections= storage.type= storage.stow.kind= storage.stow.config= storage.container= storage.enable-multicontainer= storage.limits.maxDownloadMBs= storage.connection.endpoint= storage.connection.auth-type= storage.connection.access-key= storage.connection.secret-key= storage.connection.region= storage.connection.disable-ssl= storage.single-store= storage.s3.sign-payload= storage.s3.upload-checksum= storage.defaultHttpClient.caFile= logger.level= logger.show-source= logger.mute= logger.formatter.type= h/help V/version
end

function __fish_copilot_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_copilot_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_copilot_using_subcommand
    set -l cmd (__fish_copilot_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c copilot -n "__fish_copilot_needs_command" -l config -d 'Configuration files: a path, or a pattern with *, ? and [...] [default: config.yaml in the working directory or in /etc/flyte/config]' -r
complete -c copilot -n "__fish_copilot_needs_command" -l err-output-name -d 'Name of the error document under the output prefix [default: error.pb and errors.pb] [variable: COPILOT_ERR_OUTPUT_NAME]' -r
complete -c copilot -n "__fish_copilot_needs_command" -l exit-zero-on-error -d 'Exit with 0 after a failure that the error document reports: --exit-code 0' -r
complete -c copilot -n "__fish_copilot_needs_command" -l exit-code -d 'Exit code after a failure that the error document reports: 0, 1, or auto (the sidecar exits with 0 where Flyte reads the document, everything else with 1) [variable: COPILOT_EXIT_CODE]' -r
complete -c copilot -n "__fish_copilot_needs_command" -l strict -d 'Refuse, with exit code 2, what is only a warning otherwise: words beyond the command, unknown keys in files, unknown variables [variable: COPILOT_STRICT]' -r
complete -c copilot -n "__fish_copilot_needs_command" -l log-format -d 'Form of the log: text, json, gcp, or auto (text on a terminal, else json); wins over --logger.formatter.type' -r
complete -c copilot -n "__fish_copilot_needs_command" -l termination-log -d 'File for the message that Kubernetes shows for a failed container; empty for none [variable: COPILOT_TERMINATION_LOG]' -r -F
complete -c copilot -n "__fish_copilot_needs_command" -l max-memory -d 'Memory for data in flight, at least 8Mi [default: a quarter of the container\'s limit, at most 32Mi] [variable: COPILOT_MAX_MEMORY]' -r
complete -c copilot -n "__fish_copilot_needs_command" -l max-connections -d 'Largest number of connections to stores; as many are used as help [default: one for each 512Ki of the container\'s limit, from 4 to 256] [variable: COPILOT_MAX_CONNECTIONS]' -r
complete -c copilot -n "__fish_copilot_needs_command" -l storage.type -d 'stow (storage.stow.kind names the kind), or mem; s3, minio and local are older names [default: stow] [variable: STORAGE_TYPE]' -r
complete -c copilot -n "__fish_copilot_needs_command" -l storage.stow.kind -d 'the backend: s3, google, azure or local [default: s3] [variable: STORAGE_STOW_KIND]' -r
complete -c copilot -n "__fish_copilot_needs_command" -l storage.stow.config -d 'a key=value pair for the backend; may be repeated [default: region=us-east-1] [variable: STORAGE_STOW_CONFIG]' -r
complete -c copilot -n "__fish_copilot_needs_command" -l storage.container -d 'the base bucket [variable: STORAGE_CONTAINER]' -r
complete -c copilot -n "__fish_copilot_needs_command" -l storage.enable-multicontainer -d 'allow buckets other than the base bucket [default: false] [variable: STORAGE_ENABLE_MULTICONTAINER]' -r
complete -c copilot -n "__fish_copilot_needs_command" -l storage.limits.maxDownloadMBs -d 'largest object to read from a store, in MiB; 0 = no limit [default: 2] [variable: STORAGE_LIMITS_MAXDOWNLOADMBS]' -r
complete -c copilot -n "__fish_copilot_needs_command" -l storage.connection.endpoint -d 'older name of the stow key endpoint [variable: STORAGE_CONNECTION_ENDPOINT]' -r
complete -c copilot -n "__fish_copilot_needs_command" -l storage.connection.auth-type -d 'older name of the stow key auth_type [variable: STORAGE_CONNECTION_AUTH_TYPE]' -r
complete -c copilot -n "__fish_copilot_needs_command" -l storage.connection.access-key -d 'older name of the stow key access_key_id [variable: STORAGE_CONNECTION_ACCESS_KEY]' -r
complete -c copilot -n "__fish_copilot_needs_command" -l storage.connection.secret-key -d 'older name of the stow key secret_key [variable: STORAGE_CONNECTION_SECRET_KEY]' -r
complete -c copilot -n "__fish_copilot_needs_command" -l storage.connection.region -d 'older name of the stow key region [variable: STORAGE_CONNECTION_REGION]' -r
complete -c copilot -n "__fish_copilot_needs_command" -l storage.connection.disable-ssl -d 'older name of the stow key disable_ssl [variable: STORAGE_CONNECTION_DISABLE_SSL]' -r
complete -c copilot -n "__fish_copilot_needs_command" -l storage.single-store -d 'use one store for references of every scheme, as older platforms do [default: false] [variable: STORAGE_SINGLE_STORE]' -r
complete -c copilot -n "__fish_copilot_needs_command" -l storage.s3.sign-payload -d 'sign the payload of S3 requests: auto (only without TLS), always or never [default: auto] [variable: STORAGE_S3_SIGN_PAYLOAD]' -r
complete -c copilot -n "__fish_copilot_needs_command" -l storage.s3.upload-checksum -d 'checksum that S3 verifies on uploads: none, sha256 or crc64nvme [default: none] [variable: STORAGE_S3_UPLOAD_CHECKSUM]' -r
complete -c copilot -n "__fish_copilot_needs_command" -l storage.defaultHttpClient.caFile -d 'file of PEM certificates to trust in addition to the system\'s [variable: STORAGE_DEFAULTHTTPCLIENT_CAFILE]' -r
complete -c copilot -n "__fish_copilot_needs_command" -l logger.level -d '0 panic, 1 fatal, 2 error, 3 warn, 4 info or 5 debug: the number or the name [default: 4] [variable: LOGGER_LEVEL]' -r
complete -c copilot -n "__fish_copilot_needs_command" -l logger.show-source -d 'add the source file and line to each message [default: false] [variable: LOGGER_SHOW_SOURCE]' -r
complete -c copilot -n "__fish_copilot_needs_command" -l logger.mute -d 'write no log [default: false] [variable: LOGGER_MUTE]' -r
complete -c copilot -n "__fish_copilot_needs_command" -l logger.formatter.type -d 'text, json, gcp, or auto (text on a terminal, else json) [default: auto] [variable: LOGGER_FORMATTER_TYPE]' -r
complete -c copilot -n "__fish_copilot_needs_command" -s h -l help -d 'Print help'
complete -c copilot -n "__fish_copilot_needs_command" -s V -l version -d 'Print version'
complete -c copilot -n "__fish_copilot_needs_command" -f -a "download" -d 'Fetch a task\'s inputs as local files'
complete -c copilot -n "__fish_copilot_needs_command" -f -a "sidecar" -d 'Wait for the main container, then upload its outputs'
complete -c copilot -n "__fish_copilot_needs_command" -f -a "ready" -d 'The data sidecar that lets any container take part in a Flyte workflow'
complete -c copilot -n "__fish_copilot_needs_command" -f -a "run" -d 'Run a task on this machine, without a cluster'
complete -c copilot -n "__fish_copilot_needs_command" -f -a "inspect" -d 'Show inputs, outputs, an interface or an error document'
complete -c copilot -n "__fish_copilot_needs_command" -f -a "make" -d 'Make inputs.pb or an interface from JSON or words'
complete -c copilot -n "__fish_copilot_needs_command" -f -a "doctor" -d 'Say what will work here, what will not, and how to mend it'
complete -c copilot -n "__fish_copilot_needs_command" -f -a "watch" -d 'Show what happens in a pod, as the sidecar sees it'
complete -c copilot -n "__fish_copilot_needs_command" -f -a "template" -d 'Print the PodTemplate for Flyte, and the settings beside it'
complete -c copilot -n "__fish_copilot_needs_command" -f -a "completions" -d 'Print completions for a shell'
complete -c copilot -n "__fish_copilot_needs_command" -f -a "man" -d 'Print a manual page'
complete -c copilot -n "__fish_copilot_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c copilot -n "__fish_copilot_using_subcommand download" -l from -d 'Without Flyte, in place of --from-remote and --to-output-prefix: a prefix of files, or one object. A manifest.json below the prefix is checked' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -s f -l from-remote -d 'Reference of the inputs, such as s3://bucket/inputs.pb (required)' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l to-output-prefix -d 'Prefix for an error document (required)' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -s o -l to-local-dir -d 'Directory for the inputs (required)' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand download" -s m -l format -d 'Metadata file beside inputs.pb: JSON, YAML, or PROTO for none' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -s d -l download-mode -d 'When to fetch data: DOWNLOAD_EAGER before main starts, DOWNLOAD_STREAM while main runs, or DO_NOT_DOWNLOAD to leave references in its place [variable: COPILOT_DOWNLOAD_MODE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l file-input-layout -d 'Path of a single file: DIRECT (the variable\'s name) or NAMED_DIR (a directory with the variable\'s name, and the file\'s own name in it) [variable: COPILOT_FILE_INPUT_LAYOUT]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l volume-size-limit -d 'The volume\'s sizeLimit, for example 10Gi; larger inputs fail before kubelet evicts the pod [variable: COPILOT_VOLUME_SIZE_LIMIT]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -s t -l timeout -d 'Time limit of the whole download; 0 for none' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l binary-inputs -d 'Binary inputs tagged msgpack (dataclasses, dicts, models, and members of them): json (the value as JSON, or as its type is written), or reference (the bytes) [variable: COPILOT_BINARY_INPUTS]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -s i -l input-interface -d 'The types of the inputs (a serialized VariableMap), for binary inputs' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l timeline -d 'Where the times of this run go: a JSON file; or timeline.json and timeline.html in an existing directory, or below a prefix of a store [variable: COPILOT_TIMELINE]' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand download" -l config -d 'Configuration files: a path, or a pattern with *, ? and [...] [default: config.yaml in the working directory or in /etc/flyte/config]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l err-output-name -d 'Name of the error document under the output prefix [default: error.pb and errors.pb] [variable: COPILOT_ERR_OUTPUT_NAME]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l exit-zero-on-error -d 'Exit with 0 after a failure that the error document reports: --exit-code 0' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l exit-code -d 'Exit code after a failure that the error document reports: 0, 1, or auto (the sidecar exits with 0 where Flyte reads the document, everything else with 1) [variable: COPILOT_EXIT_CODE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l strict -d 'Refuse, with exit code 2, what is only a warning otherwise: words beyond the command, unknown keys in files, unknown variables [variable: COPILOT_STRICT]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l log-format -d 'Form of the log: text, json, gcp, or auto (text on a terminal, else json); wins over --logger.formatter.type' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l termination-log -d 'File for the message that Kubernetes shows for a failed container; empty for none [variable: COPILOT_TERMINATION_LOG]' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand download" -l max-memory -d 'Memory for data in flight, at least 8Mi [default: a quarter of the container\'s limit, at most 32Mi] [variable: COPILOT_MAX_MEMORY]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l max-connections -d 'Largest number of connections to stores; as many are used as help [default: one for each 512Ki of the container\'s limit, from 4 to 256] [variable: COPILOT_MAX_CONNECTIONS]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l storage.type -d 'stow (storage.stow.kind names the kind), or mem; s3, minio and local are older names [default: stow] [variable: STORAGE_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l storage.stow.kind -d 'the backend: s3, google, azure or local [default: s3] [variable: STORAGE_STOW_KIND]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l storage.stow.config -d 'a key=value pair for the backend; may be repeated [default: region=us-east-1] [variable: STORAGE_STOW_CONFIG]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l storage.container -d 'the base bucket [variable: STORAGE_CONTAINER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l storage.enable-multicontainer -d 'allow buckets other than the base bucket [default: false] [variable: STORAGE_ENABLE_MULTICONTAINER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l storage.limits.maxDownloadMBs -d 'largest object to read from a store, in MiB; 0 = no limit [default: 2] [variable: STORAGE_LIMITS_MAXDOWNLOADMBS]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l storage.connection.endpoint -d 'older name of the stow key endpoint [variable: STORAGE_CONNECTION_ENDPOINT]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l storage.connection.auth-type -d 'older name of the stow key auth_type [variable: STORAGE_CONNECTION_AUTH_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l storage.connection.access-key -d 'older name of the stow key access_key_id [variable: STORAGE_CONNECTION_ACCESS_KEY]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l storage.connection.secret-key -d 'older name of the stow key secret_key [variable: STORAGE_CONNECTION_SECRET_KEY]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l storage.connection.region -d 'older name of the stow key region [variable: STORAGE_CONNECTION_REGION]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l storage.connection.disable-ssl -d 'older name of the stow key disable_ssl [variable: STORAGE_CONNECTION_DISABLE_SSL]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l storage.single-store -d 'use one store for references of every scheme, as older platforms do [default: false] [variable: STORAGE_SINGLE_STORE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l storage.s3.sign-payload -d 'sign the payload of S3 requests: auto (only without TLS), always or never [default: auto] [variable: STORAGE_S3_SIGN_PAYLOAD]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l storage.s3.upload-checksum -d 'checksum that S3 verifies on uploads: none, sha256 or crc64nvme [default: none] [variable: STORAGE_S3_UPLOAD_CHECKSUM]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l storage.defaultHttpClient.caFile -d 'file of PEM certificates to trust in addition to the system\'s [variable: STORAGE_DEFAULTHTTPCLIENT_CAFILE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l logger.level -d '0 panic, 1 fatal, 2 error, 3 warn, 4 info or 5 debug: the number or the name [default: 4] [variable: LOGGER_LEVEL]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l logger.show-source -d 'add the source file and line to each message [default: false] [variable: LOGGER_SHOW_SOURCE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l logger.mute -d 'write no log [default: false] [variable: LOGGER_MUTE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -l logger.formatter.type -d 'text, json, gcp, or auto (text on a terminal, else json) [default: auto] [variable: LOGGER_FORMATTER_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand download" -s h -l help -d 'Print help'
complete -c copilot -n "__fish_copilot_using_subcommand download" -s V -l version -d 'Print version'
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l to -d 'Without Flyte, in place of --interface: the prefix for all files of --from-local-dir, and for manifest.json or failure.json' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -s o -l to-output-prefix -d 'Prefix for outputs.pb and an error document (required with --interface)' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -s x -l to-raw-output -d 'Prefix for the data of files and directories (required if an output is one)' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -s f -l from-local-dir -d 'The output directory of the main container (required with --interface and --to)' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -s i -l interface -d 'The interface of the task: a serialized TypedInterface' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l meta-output-name -d 'Name of the object with the outputs under the prefix' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -s u -l upload-mode -d 'When to upload data: UPLOAD_ON_EXIT after main ends, UPLOAD_EAGER while main runs, or DO_NOT_UPLOAD if main leaves references in its place [variable: COPILOT_UPLOAD_MODE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -s t -l timeout -d 'Time limit of the upload after main ends; 0 for none [default: 1h0m0s]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l watcher -d 'How to watch main: auto, ebpf, pidfd, proc, kube-api, marker, signal or noop; separate several with commas [default: auto] [variable: COPILOT_WATCHER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l main-container -d 'The main container: its name, or the beginning of its id [default: found automatically] [variable: COPILOT_MAIN_CONTAINER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l ignore-container -d 'A container that is not main; may be repeated [variable: COPILOT_IGNORE_CONTAINER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l pod-cgroup -d 'The pod\'s cgroup [default: found automatically] [variable: COPILOT_POD_CGROUP]' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l proc-root -d 'The node\'s /proc, mounted into this container; needed to name containers if the pod does not share pids [variable: COPILOT_PROC_ROOT]' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l poll-fast -d 'Time between two readings of /proc until main starts [variable: COPILOT_POLL_FAST]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l poll-slow -d 'Time between two readings of /proc while main runs [variable: COPILOT_POLL_SLOW]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l main-start-timeout -d 'How long to wait for main to start; 0 for no limit [variable: COPILOT_MAIN_START_TIMEOUT]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l term-wait -d 'How long to wait for main to end after a SIGTERM [variable: COPILOT_TERM_WAIT]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l settle -d 'How long to wait, after main ends, for processes that it left running [variable: COPILOT_SETTLE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l on-main-failure -d 'If main fails: report (and upload nothing), salvage (report, and upload what it left), or upload (as if main succeeded) [variable: COPILOT_ON_MAIN_FAILURE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l max-simple-size -d 'Largest file of an output that becomes a part of outputs.pb, for example 1Mi [variable: COPILOT_MAX_SIMPLE_SIZE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l blob-names -d 'Name in the store of a file with an extension: file (o.csv), or reference (o) [variable: COPILOT_BLOB_NAMES]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l struct-outputs -d 'Structs in outputs.pb: declared (MessagePack for types that flytekit marks so, else protobuf\'s Struct), or protobuf (always its Struct, for a platform older than 1.14) [variable: COPILOT_STRUCT_OUTPUTS]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l timeline -d 'Where the times of this run go: a JSON file; or timeline.json and timeline.html in an existing directory, or below a prefix of a store [variable: COPILOT_TIMELINE]' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l pod-name -d 'Name of this pod, for the watcher kube-api [default: POD_NAME, else the host name]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l config -d 'Configuration files: a path, or a pattern with *, ? and [...] [default: config.yaml in the working directory or in /etc/flyte/config]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l err-output-name -d 'Name of the error document under the output prefix [default: error.pb and errors.pb] [variable: COPILOT_ERR_OUTPUT_NAME]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l exit-zero-on-error -d 'Exit with 0 after a failure that the error document reports: --exit-code 0' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l exit-code -d 'Exit code after a failure that the error document reports: 0, 1, or auto (the sidecar exits with 0 where Flyte reads the document, everything else with 1) [variable: COPILOT_EXIT_CODE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l strict -d 'Refuse, with exit code 2, what is only a warning otherwise: words beyond the command, unknown keys in files, unknown variables [variable: COPILOT_STRICT]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l log-format -d 'Form of the log: text, json, gcp, or auto (text on a terminal, else json); wins over --logger.formatter.type' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l termination-log -d 'File for the message that Kubernetes shows for a failed container; empty for none [variable: COPILOT_TERMINATION_LOG]' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l max-memory -d 'Memory for data in flight, at least 8Mi [default: a quarter of the container\'s limit, at most 32Mi] [variable: COPILOT_MAX_MEMORY]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l max-connections -d 'Largest number of connections to stores; as many are used as help [default: one for each 512Ki of the container\'s limit, from 4 to 256] [variable: COPILOT_MAX_CONNECTIONS]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l storage.type -d 'stow (storage.stow.kind names the kind), or mem; s3, minio and local are older names [default: stow] [variable: STORAGE_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l storage.stow.kind -d 'the backend: s3, google, azure or local [default: s3] [variable: STORAGE_STOW_KIND]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l storage.stow.config -d 'a key=value pair for the backend; may be repeated [default: region=us-east-1] [variable: STORAGE_STOW_CONFIG]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l storage.container -d 'the base bucket [variable: STORAGE_CONTAINER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l storage.enable-multicontainer -d 'allow buckets other than the base bucket [default: false] [variable: STORAGE_ENABLE_MULTICONTAINER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l storage.limits.maxDownloadMBs -d 'largest object to read from a store, in MiB; 0 = no limit [default: 2] [variable: STORAGE_LIMITS_MAXDOWNLOADMBS]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l storage.connection.endpoint -d 'older name of the stow key endpoint [variable: STORAGE_CONNECTION_ENDPOINT]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l storage.connection.auth-type -d 'older name of the stow key auth_type [variable: STORAGE_CONNECTION_AUTH_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l storage.connection.access-key -d 'older name of the stow key access_key_id [variable: STORAGE_CONNECTION_ACCESS_KEY]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l storage.connection.secret-key -d 'older name of the stow key secret_key [variable: STORAGE_CONNECTION_SECRET_KEY]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l storage.connection.region -d 'older name of the stow key region [variable: STORAGE_CONNECTION_REGION]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l storage.connection.disable-ssl -d 'older name of the stow key disable_ssl [variable: STORAGE_CONNECTION_DISABLE_SSL]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l storage.single-store -d 'use one store for references of every scheme, as older platforms do [default: false] [variable: STORAGE_SINGLE_STORE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l storage.s3.sign-payload -d 'sign the payload of S3 requests: auto (only without TLS), always or never [default: auto] [variable: STORAGE_S3_SIGN_PAYLOAD]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l storage.s3.upload-checksum -d 'checksum that S3 verifies on uploads: none, sha256 or crc64nvme [default: none] [variable: STORAGE_S3_UPLOAD_CHECKSUM]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l storage.defaultHttpClient.caFile -d 'file of PEM certificates to trust in addition to the system\'s [variable: STORAGE_DEFAULTHTTPCLIENT_CAFILE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l logger.level -d '0 panic, 1 fatal, 2 error, 3 warn, 4 info or 5 debug: the number or the name [default: 4] [variable: LOGGER_LEVEL]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l logger.show-source -d 'add the source file and line to each message [default: false] [variable: LOGGER_SHOW_SOURCE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l logger.mute -d 'write no log [default: false] [variable: LOGGER_MUTE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -l logger.formatter.type -d 'text, json, gcp, or auto (text on a terminal, else json) [default: auto] [variable: LOGGER_FORMATTER_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -s h -l help -d 'Print help'
complete -c copilot -n "__fish_copilot_using_subcommand sidecar" -s V -l version -d 'Print version'
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l config -d 'Configuration files: a path, or a pattern with *, ? and [...] [default: config.yaml in the working directory or in /etc/flyte/config]' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l err-output-name -d 'Name of the error document under the output prefix [default: error.pb and errors.pb]' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l exit-zero-on-error -d 'Exit with 0 after a failure that the error document reports: --exit-code 0' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l exit-code -d 'Exit code after a failure that the error document reports: 0, 1, or auto (the sidecar exits with 0 where Flyte reads the document, everything else with 1)' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l strict -d 'Refuse, with exit code 2, what is only a warning otherwise: words beyond the command, unknown keys in files, unknown variables' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l log-format -d 'Form of the log: text, json, gcp, or auto (text on a terminal, else json); wins over --logger.formatter.type' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l termination-log -d 'File for the message that Kubernetes shows for a failed container; empty for none' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l max-memory -d 'Memory for data in flight, at least 8Mi [default: a quarter of the container\'s limit, at most 32Mi]' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l max-connections -d 'Largest number of connections to stores; as many are used as help [default: one for each 512Ki of the container\'s limit, from 4 to 256]' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l storage.type -d 'stow (storage.stow.kind names the kind), or mem; s3, minio and local are older names [default: stow] [variable: STORAGE_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l storage.stow.kind -d 'the backend: s3, google, azure or local [default: s3] [variable: STORAGE_STOW_KIND]' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l storage.stow.config -d 'a key=value pair for the backend; may be repeated [default: region=us-east-1] [variable: STORAGE_STOW_CONFIG]' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l storage.container -d 'the base bucket [variable: STORAGE_CONTAINER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l storage.enable-multicontainer -d 'allow buckets other than the base bucket [default: false] [variable: STORAGE_ENABLE_MULTICONTAINER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l storage.limits.maxDownloadMBs -d 'largest object to read from a store, in MiB; 0 = no limit [default: 2] [variable: STORAGE_LIMITS_MAXDOWNLOADMBS]' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l storage.connection.endpoint -d 'older name of the stow key endpoint [variable: STORAGE_CONNECTION_ENDPOINT]' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l storage.connection.auth-type -d 'older name of the stow key auth_type [variable: STORAGE_CONNECTION_AUTH_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l storage.connection.access-key -d 'older name of the stow key access_key_id [variable: STORAGE_CONNECTION_ACCESS_KEY]' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l storage.connection.secret-key -d 'older name of the stow key secret_key [variable: STORAGE_CONNECTION_SECRET_KEY]' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l storage.connection.region -d 'older name of the stow key region [variable: STORAGE_CONNECTION_REGION]' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l storage.connection.disable-ssl -d 'older name of the stow key disable_ssl [variable: STORAGE_CONNECTION_DISABLE_SSL]' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l storage.single-store -d 'use one store for references of every scheme, as older platforms do [default: false] [variable: STORAGE_SINGLE_STORE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l storage.s3.sign-payload -d 'sign the payload of S3 requests: auto (only without TLS), always or never [default: auto] [variable: STORAGE_S3_SIGN_PAYLOAD]' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l storage.s3.upload-checksum -d 'checksum that S3 verifies on uploads: none, sha256 or crc64nvme [default: none] [variable: STORAGE_S3_UPLOAD_CHECKSUM]' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l storage.defaultHttpClient.caFile -d 'file of PEM certificates to trust in addition to the system\'s [variable: STORAGE_DEFAULTHTTPCLIENT_CAFILE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l logger.level -d '0 panic, 1 fatal, 2 error, 3 warn, 4 info or 5 debug: the number or the name [default: 4] [variable: LOGGER_LEVEL]' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l logger.show-source -d 'add the source file and line to each message [default: false] [variable: LOGGER_SHOW_SOURCE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l logger.mute -d 'write no log [default: false] [variable: LOGGER_MUTE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -l logger.formatter.type -d 'text, json, gcp, or auto (text on a terminal, else json) [default: auto] [variable: LOGGER_FORMATTER_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand ready" -s h -l help -d 'Print help'
complete -c copilot -n "__fish_copilot_using_subcommand ready" -s V -l version -d 'Print version'
complete -c copilot -n "__fish_copilot_using_subcommand run" -l input -d 'An input; @PATH is a local file or directory; may be repeated' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l inputs -d 'File of inputs: JSON, YAML, or a message such as inputs.pb; --input wins' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand run" -l output -d 'An output that the command writes; may be repeated' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l interface -d 'The types of all inputs and outputs: a file, base64 as the platform passes it, or JSON of `copilot inspect`' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l check -d 'Run nothing: read the outputs in this directory, say what would be uploaded, and what is wrong' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand run" -l to -d 'Upload the outputs to this prefix, too: s3://bucket/prefix, or a directory' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l image -d 'Run the command in this image, by docker, podman or nerdctl' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l work-dir -d 'Where the directories inputs and outputs are made; they are kept [default: a temporary directory]' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand run" -l input-data-dir -d 'The input directory as the command names it' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l output-data-dir -d 'The output directory as the command names it' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -s m -l format -d 'Metadata file beside inputs.pb: JSON, YAML, or PROTO for none' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l file-input-layout -d 'Path of a single input file: DIRECT or NAMED_DIR, as for download [variable: COPILOT_FILE_INPUT_LAYOUT]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l term-wait -d 'How long to wait for the command\'s end after SIGTERM or ^C, before it is killed [variable: COPILOT_TERM_WAIT]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l config -d 'Configuration files: a path, or a pattern with *, ? and [...] [default: config.yaml in the working directory or in /etc/flyte/config]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l err-output-name -d 'Name of the error document under the output prefix [default: error.pb and errors.pb] [variable: COPILOT_ERR_OUTPUT_NAME]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l exit-zero-on-error -d 'Exit with 0 after a failure that the error document reports: --exit-code 0' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l exit-code -d 'Exit code after a failure that the error document reports: 0, 1, or auto (the sidecar exits with 0 where Flyte reads the document, everything else with 1) [variable: COPILOT_EXIT_CODE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l strict -d 'Refuse, with exit code 2, what is only a warning otherwise: words beyond the command, unknown keys in files, unknown variables [variable: COPILOT_STRICT]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l log-format -d 'Form of the log: text, json, gcp, or auto (text on a terminal, else json); wins over --logger.formatter.type' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l termination-log -d 'File for the message that Kubernetes shows for a failed container; empty for none [variable: COPILOT_TERMINATION_LOG]' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand run" -l max-memory -d 'Memory for data in flight, at least 8Mi [default: a quarter of the container\'s limit, at most 32Mi] [variable: COPILOT_MAX_MEMORY]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l max-connections -d 'Largest number of connections to stores; as many are used as help [default: one for each 512Ki of the container\'s limit, from 4 to 256] [variable: COPILOT_MAX_CONNECTIONS]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l storage.type -d 'stow (storage.stow.kind names the kind), or mem; s3, minio and local are older names [default: stow] [variable: STORAGE_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l storage.stow.kind -d 'the backend: s3, google, azure or local [default: s3] [variable: STORAGE_STOW_KIND]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l storage.stow.config -d 'a key=value pair for the backend; may be repeated [default: region=us-east-1] [variable: STORAGE_STOW_CONFIG]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l storage.container -d 'the base bucket [variable: STORAGE_CONTAINER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l storage.enable-multicontainer -d 'allow buckets other than the base bucket [default: false] [variable: STORAGE_ENABLE_MULTICONTAINER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l storage.limits.maxDownloadMBs -d 'largest object to read from a store, in MiB; 0 = no limit [default: 2] [variable: STORAGE_LIMITS_MAXDOWNLOADMBS]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l storage.connection.endpoint -d 'older name of the stow key endpoint [variable: STORAGE_CONNECTION_ENDPOINT]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l storage.connection.auth-type -d 'older name of the stow key auth_type [variable: STORAGE_CONNECTION_AUTH_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l storage.connection.access-key -d 'older name of the stow key access_key_id [variable: STORAGE_CONNECTION_ACCESS_KEY]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l storage.connection.secret-key -d 'older name of the stow key secret_key [variable: STORAGE_CONNECTION_SECRET_KEY]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l storage.connection.region -d 'older name of the stow key region [variable: STORAGE_CONNECTION_REGION]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l storage.connection.disable-ssl -d 'older name of the stow key disable_ssl [variable: STORAGE_CONNECTION_DISABLE_SSL]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l storage.single-store -d 'use one store for references of every scheme, as older platforms do [default: false] [variable: STORAGE_SINGLE_STORE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l storage.s3.sign-payload -d 'sign the payload of S3 requests: auto (only without TLS), always or never [default: auto] [variable: STORAGE_S3_SIGN_PAYLOAD]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l storage.s3.upload-checksum -d 'checksum that S3 verifies on uploads: none, sha256 or crc64nvme [default: none] [variable: STORAGE_S3_UPLOAD_CHECKSUM]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l storage.defaultHttpClient.caFile -d 'file of PEM certificates to trust in addition to the system\'s [variable: STORAGE_DEFAULTHTTPCLIENT_CAFILE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l logger.level -d '0 panic, 1 fatal, 2 error, 3 warn, 4 info or 5 debug: the number or the name [default: 4] [variable: LOGGER_LEVEL]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l logger.show-source -d 'add the source file and line to each message [default: false] [variable: LOGGER_SHOW_SOURCE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l logger.mute -d 'write no log [default: false] [variable: LOGGER_MUTE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l logger.formatter.type -d 'text, json, gcp, or auto (text on a terminal, else json) [default: auto] [variable: LOGGER_FORMATTER_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand run" -l keep -d 'Keep the directories of the run'
complete -c copilot -n "__fish_copilot_using_subcommand run" -l json -d 'Print the result as JSON; the command\'s standard output goes to standard error'
complete -c copilot -n "__fish_copilot_using_subcommand run" -s h -l help -d 'Print help'
complete -c copilot -n "__fish_copilot_using_subcommand run" -s V -l version -d 'Print version'
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l kind -d 'What it is: values, interface, variables or error [default: its name and content tell]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l config -d 'Configuration files: a path, or a pattern with *, ? and [...] [default: config.yaml in the working directory or in /etc/flyte/config]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l err-output-name -d 'Name of the error document under the output prefix [default: error.pb and errors.pb] [variable: COPILOT_ERR_OUTPUT_NAME]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l exit-zero-on-error -d 'Exit with 0 after a failure that the error document reports: --exit-code 0' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l exit-code -d 'Exit code after a failure that the error document reports: 0, 1, or auto (the sidecar exits with 0 where Flyte reads the document, everything else with 1) [variable: COPILOT_EXIT_CODE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l strict -d 'Refuse, with exit code 2, what is only a warning otherwise: words beyond the command, unknown keys in files, unknown variables [variable: COPILOT_STRICT]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l log-format -d 'Form of the log: text, json, gcp, or auto (text on a terminal, else json); wins over --logger.formatter.type' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l termination-log -d 'File for the message that Kubernetes shows for a failed container; empty for none [variable: COPILOT_TERMINATION_LOG]' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l max-memory -d 'Memory for data in flight, at least 8Mi [default: a quarter of the container\'s limit, at most 32Mi] [variable: COPILOT_MAX_MEMORY]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l max-connections -d 'Largest number of connections to stores; as many are used as help [default: one for each 512Ki of the container\'s limit, from 4 to 256] [variable: COPILOT_MAX_CONNECTIONS]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l storage.type -d 'stow (storage.stow.kind names the kind), or mem; s3, minio and local are older names [default: stow] [variable: STORAGE_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l storage.stow.kind -d 'the backend: s3, google, azure or local [default: s3] [variable: STORAGE_STOW_KIND]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l storage.stow.config -d 'a key=value pair for the backend; may be repeated [default: region=us-east-1] [variable: STORAGE_STOW_CONFIG]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l storage.container -d 'the base bucket [variable: STORAGE_CONTAINER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l storage.enable-multicontainer -d 'allow buckets other than the base bucket [default: false] [variable: STORAGE_ENABLE_MULTICONTAINER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l storage.limits.maxDownloadMBs -d 'largest object to read from a store, in MiB; 0 = no limit [default: 2] [variable: STORAGE_LIMITS_MAXDOWNLOADMBS]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l storage.connection.endpoint -d 'older name of the stow key endpoint [variable: STORAGE_CONNECTION_ENDPOINT]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l storage.connection.auth-type -d 'older name of the stow key auth_type [variable: STORAGE_CONNECTION_AUTH_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l storage.connection.access-key -d 'older name of the stow key access_key_id [variable: STORAGE_CONNECTION_ACCESS_KEY]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l storage.connection.secret-key -d 'older name of the stow key secret_key [variable: STORAGE_CONNECTION_SECRET_KEY]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l storage.connection.region -d 'older name of the stow key region [variable: STORAGE_CONNECTION_REGION]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l storage.connection.disable-ssl -d 'older name of the stow key disable_ssl [variable: STORAGE_CONNECTION_DISABLE_SSL]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l storage.single-store -d 'use one store for references of every scheme, as older platforms do [default: false] [variable: STORAGE_SINGLE_STORE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l storage.s3.sign-payload -d 'sign the payload of S3 requests: auto (only without TLS), always or never [default: auto] [variable: STORAGE_S3_SIGN_PAYLOAD]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l storage.s3.upload-checksum -d 'checksum that S3 verifies on uploads: none, sha256 or crc64nvme [default: none] [variable: STORAGE_S3_UPLOAD_CHECKSUM]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l storage.defaultHttpClient.caFile -d 'file of PEM certificates to trust in addition to the system\'s [variable: STORAGE_DEFAULTHTTPCLIENT_CAFILE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l logger.level -d '0 panic, 1 fatal, 2 error, 3 warn, 4 info or 5 debug: the number or the name [default: 4] [variable: LOGGER_LEVEL]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l logger.show-source -d 'add the source file and line to each message [default: false] [variable: LOGGER_SHOW_SOURCE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l logger.mute -d 'write no log [default: false] [variable: LOGGER_MUTE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l logger.formatter.type -d 'text, json, gcp, or auto (text on a terminal, else json) [default: auto] [variable: LOGGER_FORMATTER_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l json -d 'Show it as JSON, which `copilot make --from` reads'
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -l yaml -d 'Show it as YAML, with the same content'
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -s h -l help -d 'Print help'
complete -c copilot -n "__fish_copilot_using_subcommand inspect" -s V -l version -d 'Print version'
complete -c copilot -n "__fish_copilot_using_subcommand make" -l input -d 'An input: its value, or its type alone for an interface; may be repeated' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l output -d 'An output of an interface; may be repeated' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l from -d 'File of JSON or YAML: names and values, or what `copilot inspect --json` shows; - for standard input' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand make" -l to -d 'File for the message [default: base64 on standard output]' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand make" -l config -d 'Configuration files: a path, or a pattern with *, ? and [...] [default: config.yaml in the working directory or in /etc/flyte/config]' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l err-output-name -d 'Name of the error document under the output prefix [default: error.pb and errors.pb]' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l exit-zero-on-error -d 'Exit with 0 after a failure that the error document reports: --exit-code 0' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l exit-code -d 'Exit code after a failure that the error document reports: 0, 1, or auto (the sidecar exits with 0 where Flyte reads the document, everything else with 1)' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l strict -d 'Refuse, with exit code 2, what is only a warning otherwise: words beyond the command, unknown keys in files, unknown variables' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l log-format -d 'Form of the log: text, json, gcp, or auto (text on a terminal, else json); wins over --logger.formatter.type' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l termination-log -d 'File for the message that Kubernetes shows for a failed container; empty for none' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand make" -l max-memory -d 'Memory for data in flight, at least 8Mi [default: a quarter of the container\'s limit, at most 32Mi]' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l max-connections -d 'Largest number of connections to stores; as many are used as help [default: one for each 512Ki of the container\'s limit, from 4 to 256]' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l storage.type -d 'stow (storage.stow.kind names the kind), or mem; s3, minio and local are older names [default: stow] [variable: STORAGE_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l storage.stow.kind -d 'the backend: s3, google, azure or local [default: s3] [variable: STORAGE_STOW_KIND]' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l storage.stow.config -d 'a key=value pair for the backend; may be repeated [default: region=us-east-1] [variable: STORAGE_STOW_CONFIG]' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l storage.container -d 'the base bucket [variable: STORAGE_CONTAINER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l storage.enable-multicontainer -d 'allow buckets other than the base bucket [default: false] [variable: STORAGE_ENABLE_MULTICONTAINER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l storage.limits.maxDownloadMBs -d 'largest object to read from a store, in MiB; 0 = no limit [default: 2] [variable: STORAGE_LIMITS_MAXDOWNLOADMBS]' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l storage.connection.endpoint -d 'older name of the stow key endpoint [variable: STORAGE_CONNECTION_ENDPOINT]' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l storage.connection.auth-type -d 'older name of the stow key auth_type [variable: STORAGE_CONNECTION_AUTH_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l storage.connection.access-key -d 'older name of the stow key access_key_id [variable: STORAGE_CONNECTION_ACCESS_KEY]' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l storage.connection.secret-key -d 'older name of the stow key secret_key [variable: STORAGE_CONNECTION_SECRET_KEY]' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l storage.connection.region -d 'older name of the stow key region [variable: STORAGE_CONNECTION_REGION]' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l storage.connection.disable-ssl -d 'older name of the stow key disable_ssl [variable: STORAGE_CONNECTION_DISABLE_SSL]' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l storage.single-store -d 'use one store for references of every scheme, as older platforms do [default: false] [variable: STORAGE_SINGLE_STORE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l storage.s3.sign-payload -d 'sign the payload of S3 requests: auto (only without TLS), always or never [default: auto] [variable: STORAGE_S3_SIGN_PAYLOAD]' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l storage.s3.upload-checksum -d 'checksum that S3 verifies on uploads: none, sha256 or crc64nvme [default: none] [variable: STORAGE_S3_UPLOAD_CHECKSUM]' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l storage.defaultHttpClient.caFile -d 'file of PEM certificates to trust in addition to the system\'s [variable: STORAGE_DEFAULTHTTPCLIENT_CAFILE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l logger.level -d '0 panic, 1 fatal, 2 error, 3 warn, 4 info or 5 debug: the number or the name [default: 4] [variable: LOGGER_LEVEL]' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l logger.show-source -d 'add the source file and line to each message [default: false] [variable: LOGGER_SHOW_SOURCE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l logger.mute -d 'write no log [default: false] [variable: LOGGER_MUTE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -l logger.formatter.type -d 'text, json, gcp, or auto (text on a terminal, else json) [default: auto] [variable: LOGGER_FORMATTER_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand make" -s h -l help -d 'Print help'
complete -c copilot -n "__fish_copilot_using_subcommand make" -s V -l version -d 'Print version'
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l pod -d 'Judge this manifest (YAML or JSON) of a pod or a pod template, and nothing of this machine' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l from-remote -d 'Reference of the inputs: check that they are there' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l to-local-dir -d 'Directory for the inputs: check that it can be written' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l expect-size -d 'Size of the inputs, for example 10Gi: check that --to-local-dir has room for them' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l to -d 'Without Flyte, in place of --interface: the prefix for all files of --from-local-dir, and for manifest.json or failure.json' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -s o -l to-output-prefix -d 'Prefix for outputs.pb and an error document (required with --interface)' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -s x -l to-raw-output -d 'Prefix for the data of files and directories (required if an output is one)' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -s f -l from-local-dir -d 'The output directory of the main container (required with --interface and --to)' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -s i -l interface -d 'The interface of the task: a serialized TypedInterface' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l meta-output-name -d 'Name of the object with the outputs under the prefix' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -s u -l upload-mode -d 'When to upload data: UPLOAD_ON_EXIT after main ends, UPLOAD_EAGER while main runs, or DO_NOT_UPLOAD if main leaves references in its place [variable: COPILOT_UPLOAD_MODE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -s t -l timeout -d 'Time limit of the upload after main ends; 0 for none [default: 1h0m0s]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l watcher -d 'How to watch main: auto, ebpf, pidfd, proc, kube-api, marker, signal or noop; separate several with commas [default: auto] [variable: COPILOT_WATCHER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l main-container -d 'The main container: its name, or the beginning of its id [default: found automatically] [variable: COPILOT_MAIN_CONTAINER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l ignore-container -d 'A container that is not main; may be repeated [variable: COPILOT_IGNORE_CONTAINER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l pod-cgroup -d 'The pod\'s cgroup [default: found automatically] [variable: COPILOT_POD_CGROUP]' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l proc-root -d 'The node\'s /proc, mounted into this container; needed to name containers if the pod does not share pids [variable: COPILOT_PROC_ROOT]' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l poll-fast -d 'Time between two readings of /proc until main starts [variable: COPILOT_POLL_FAST]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l poll-slow -d 'Time between two readings of /proc while main runs [variable: COPILOT_POLL_SLOW]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l main-start-timeout -d 'How long to wait for main to start; 0 for no limit [variable: COPILOT_MAIN_START_TIMEOUT]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l term-wait -d 'How long to wait for main to end after a SIGTERM [variable: COPILOT_TERM_WAIT]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l settle -d 'How long to wait, after main ends, for processes that it left running [variable: COPILOT_SETTLE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l on-main-failure -d 'If main fails: report (and upload nothing), salvage (report, and upload what it left), or upload (as if main succeeded) [variable: COPILOT_ON_MAIN_FAILURE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l max-simple-size -d 'Largest file of an output that becomes a part of outputs.pb, for example 1Mi [variable: COPILOT_MAX_SIMPLE_SIZE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l blob-names -d 'Name in the store of a file with an extension: file (o.csv), or reference (o) [variable: COPILOT_BLOB_NAMES]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l struct-outputs -d 'Structs in outputs.pb: declared (MessagePack for types that flytekit marks so, else protobuf\'s Struct), or protobuf (always its Struct, for a platform older than 1.14) [variable: COPILOT_STRUCT_OUTPUTS]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l timeline -d 'Where the times of this run go: a JSON file; or timeline.json and timeline.html in an existing directory, or below a prefix of a store [variable: COPILOT_TIMELINE]' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l pod-name -d 'Name of this pod, for the watcher kube-api [default: POD_NAME, else the host name]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l config -d 'Configuration files: a path, or a pattern with *, ? and [...] [default: config.yaml in the working directory or in /etc/flyte/config]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l err-output-name -d 'Name of the error document under the output prefix [default: error.pb and errors.pb] [variable: COPILOT_ERR_OUTPUT_NAME]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l exit-zero-on-error -d 'Exit with 0 after a failure that the error document reports: --exit-code 0' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l exit-code -d 'Exit code after a failure that the error document reports: 0, 1, or auto (the sidecar exits with 0 where Flyte reads the document, everything else with 1) [variable: COPILOT_EXIT_CODE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l strict -d 'Refuse, with exit code 2, what is only a warning otherwise: words beyond the command, unknown keys in files, unknown variables [variable: COPILOT_STRICT]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l log-format -d 'Form of the log: text, json, gcp, or auto (text on a terminal, else json); wins over --logger.formatter.type' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l termination-log -d 'File for the message that Kubernetes shows for a failed container; empty for none [variable: COPILOT_TERMINATION_LOG]' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l max-memory -d 'Memory for data in flight, at least 8Mi [default: a quarter of the container\'s limit, at most 32Mi] [variable: COPILOT_MAX_MEMORY]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l max-connections -d 'Largest number of connections to stores; as many are used as help [default: one for each 512Ki of the container\'s limit, from 4 to 256] [variable: COPILOT_MAX_CONNECTIONS]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l storage.type -d 'stow (storage.stow.kind names the kind), or mem; s3, minio and local are older names [default: stow] [variable: STORAGE_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l storage.stow.kind -d 'the backend: s3, google, azure or local [default: s3] [variable: STORAGE_STOW_KIND]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l storage.stow.config -d 'a key=value pair for the backend; may be repeated [default: region=us-east-1] [variable: STORAGE_STOW_CONFIG]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l storage.container -d 'the base bucket [variable: STORAGE_CONTAINER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l storage.enable-multicontainer -d 'allow buckets other than the base bucket [default: false] [variable: STORAGE_ENABLE_MULTICONTAINER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l storage.limits.maxDownloadMBs -d 'largest object to read from a store, in MiB; 0 = no limit [default: 2] [variable: STORAGE_LIMITS_MAXDOWNLOADMBS]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l storage.connection.endpoint -d 'older name of the stow key endpoint [variable: STORAGE_CONNECTION_ENDPOINT]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l storage.connection.auth-type -d 'older name of the stow key auth_type [variable: STORAGE_CONNECTION_AUTH_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l storage.connection.access-key -d 'older name of the stow key access_key_id [variable: STORAGE_CONNECTION_ACCESS_KEY]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l storage.connection.secret-key -d 'older name of the stow key secret_key [variable: STORAGE_CONNECTION_SECRET_KEY]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l storage.connection.region -d 'older name of the stow key region [variable: STORAGE_CONNECTION_REGION]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l storage.connection.disable-ssl -d 'older name of the stow key disable_ssl [variable: STORAGE_CONNECTION_DISABLE_SSL]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l storage.single-store -d 'use one store for references of every scheme, as older platforms do [default: false] [variable: STORAGE_SINGLE_STORE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l storage.s3.sign-payload -d 'sign the payload of S3 requests: auto (only without TLS), always or never [default: auto] [variable: STORAGE_S3_SIGN_PAYLOAD]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l storage.s3.upload-checksum -d 'checksum that S3 verifies on uploads: none, sha256 or crc64nvme [default: none] [variable: STORAGE_S3_UPLOAD_CHECKSUM]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l storage.defaultHttpClient.caFile -d 'file of PEM certificates to trust in addition to the system\'s [variable: STORAGE_DEFAULTHTTPCLIENT_CAFILE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l logger.level -d '0 panic, 1 fatal, 2 error, 3 warn, 4 info or 5 debug: the number or the name [default: 4] [variable: LOGGER_LEVEL]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l logger.show-source -d 'add the source file and line to each message [default: false] [variable: LOGGER_SHOW_SOURCE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l logger.mute -d 'write no log [default: false] [variable: LOGGER_MUTE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l logger.formatter.type -d 'text, json, gcp, or auto (text on a terminal, else json) [default: auto] [variable: LOGGER_FORMATTER_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l json -d 'Print one JSON object'
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -l probe -d 'Write, read and delete an object below --to-output-prefix, --to-raw-output and --to'
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c copilot -n "__fish_copilot_using_subcommand doctor" -s V -l version -d 'Print version'
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l to -d 'Without Flyte, in place of --interface: the prefix for all files of --from-local-dir, and for manifest.json or failure.json' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -s o -l to-output-prefix -d 'Prefix for outputs.pb and an error document (required with --interface)' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -s x -l to-raw-output -d 'Prefix for the data of files and directories (required if an output is one)' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -s f -l from-local-dir -d 'The output directory of the main container (required with --interface and --to)' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand watch" -s i -l interface -d 'The interface of the task: a serialized TypedInterface' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l meta-output-name -d 'Name of the object with the outputs under the prefix' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -s u -l upload-mode -d 'When to upload data: UPLOAD_ON_EXIT after main ends, UPLOAD_EAGER while main runs, or DO_NOT_UPLOAD if main leaves references in its place [variable: COPILOT_UPLOAD_MODE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -s t -l timeout -d 'Time limit of the upload after main ends; 0 for none [default: 1h0m0s]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l watcher -d 'How to watch main: auto, ebpf, pidfd, proc, kube-api, marker, signal or noop; separate several with commas [default: auto] [variable: COPILOT_WATCHER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l main-container -d 'The main container: its name, or the beginning of its id [default: found automatically] [variable: COPILOT_MAIN_CONTAINER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l ignore-container -d 'A container that is not main; may be repeated [variable: COPILOT_IGNORE_CONTAINER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l pod-cgroup -d 'The pod\'s cgroup [default: found automatically] [variable: COPILOT_POD_CGROUP]' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l proc-root -d 'The node\'s /proc, mounted into this container; needed to name containers if the pod does not share pids [variable: COPILOT_PROC_ROOT]' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l poll-fast -d 'Time between two readings of /proc until main starts [variable: COPILOT_POLL_FAST]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l poll-slow -d 'Time between two readings of /proc while main runs [variable: COPILOT_POLL_SLOW]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l main-start-timeout -d 'How long to wait for main to start; 0 for no limit [variable: COPILOT_MAIN_START_TIMEOUT]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l term-wait -d 'How long to wait for main to end after a SIGTERM [variable: COPILOT_TERM_WAIT]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l settle -d 'How long to wait, after main ends, for processes that it left running [variable: COPILOT_SETTLE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l on-main-failure -d 'If main fails: report (and upload nothing), salvage (report, and upload what it left), or upload (as if main succeeded) [variable: COPILOT_ON_MAIN_FAILURE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l max-simple-size -d 'Largest file of an output that becomes a part of outputs.pb, for example 1Mi [variable: COPILOT_MAX_SIMPLE_SIZE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l blob-names -d 'Name in the store of a file with an extension: file (o.csv), or reference (o) [variable: COPILOT_BLOB_NAMES]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l struct-outputs -d 'Structs in outputs.pb: declared (MessagePack for types that flytekit marks so, else protobuf\'s Struct), or protobuf (always its Struct, for a platform older than 1.14) [variable: COPILOT_STRUCT_OUTPUTS]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l timeline -d 'Where the times of this run go: a JSON file; or timeline.json and timeline.html in an existing directory, or below a prefix of a store [variable: COPILOT_TIMELINE]' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l pod-name -d 'Name of this pod, for the watcher kube-api [default: POD_NAME, else the host name]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l config -d 'Configuration files: a path, or a pattern with *, ? and [...] [default: config.yaml in the working directory or in /etc/flyte/config]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l err-output-name -d 'Name of the error document under the output prefix [default: error.pb and errors.pb] [variable: COPILOT_ERR_OUTPUT_NAME]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l exit-zero-on-error -d 'Exit with 0 after a failure that the error document reports: --exit-code 0' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l exit-code -d 'Exit code after a failure that the error document reports: 0, 1, or auto (the sidecar exits with 0 where Flyte reads the document, everything else with 1) [variable: COPILOT_EXIT_CODE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l strict -d 'Refuse, with exit code 2, what is only a warning otherwise: words beyond the command, unknown keys in files, unknown variables [variable: COPILOT_STRICT]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l log-format -d 'Form of the log: text, json, gcp, or auto (text on a terminal, else json); wins over --logger.formatter.type' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l termination-log -d 'File for the message that Kubernetes shows for a failed container; empty for none [variable: COPILOT_TERMINATION_LOG]' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l max-memory -d 'Memory for data in flight, at least 8Mi [default: a quarter of the container\'s limit, at most 32Mi] [variable: COPILOT_MAX_MEMORY]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l max-connections -d 'Largest number of connections to stores; as many are used as help [default: one for each 512Ki of the container\'s limit, from 4 to 256] [variable: COPILOT_MAX_CONNECTIONS]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l storage.type -d 'stow (storage.stow.kind names the kind), or mem; s3, minio and local are older names [default: stow] [variable: STORAGE_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l storage.stow.kind -d 'the backend: s3, google, azure or local [default: s3] [variable: STORAGE_STOW_KIND]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l storage.stow.config -d 'a key=value pair for the backend; may be repeated [default: region=us-east-1] [variable: STORAGE_STOW_CONFIG]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l storage.container -d 'the base bucket [variable: STORAGE_CONTAINER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l storage.enable-multicontainer -d 'allow buckets other than the base bucket [default: false] [variable: STORAGE_ENABLE_MULTICONTAINER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l storage.limits.maxDownloadMBs -d 'largest object to read from a store, in MiB; 0 = no limit [default: 2] [variable: STORAGE_LIMITS_MAXDOWNLOADMBS]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l storage.connection.endpoint -d 'older name of the stow key endpoint [variable: STORAGE_CONNECTION_ENDPOINT]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l storage.connection.auth-type -d 'older name of the stow key auth_type [variable: STORAGE_CONNECTION_AUTH_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l storage.connection.access-key -d 'older name of the stow key access_key_id [variable: STORAGE_CONNECTION_ACCESS_KEY]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l storage.connection.secret-key -d 'older name of the stow key secret_key [variable: STORAGE_CONNECTION_SECRET_KEY]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l storage.connection.region -d 'older name of the stow key region [variable: STORAGE_CONNECTION_REGION]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l storage.connection.disable-ssl -d 'older name of the stow key disable_ssl [variable: STORAGE_CONNECTION_DISABLE_SSL]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l storage.single-store -d 'use one store for references of every scheme, as older platforms do [default: false] [variable: STORAGE_SINGLE_STORE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l storage.s3.sign-payload -d 'sign the payload of S3 requests: auto (only without TLS), always or never [default: auto] [variable: STORAGE_S3_SIGN_PAYLOAD]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l storage.s3.upload-checksum -d 'checksum that S3 verifies on uploads: none, sha256 or crc64nvme [default: none] [variable: STORAGE_S3_UPLOAD_CHECKSUM]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l storage.defaultHttpClient.caFile -d 'file of PEM certificates to trust in addition to the system\'s [variable: STORAGE_DEFAULTHTTPCLIENT_CAFILE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l logger.level -d '0 panic, 1 fatal, 2 error, 3 warn, 4 info or 5 debug: the number or the name [default: 4] [variable: LOGGER_LEVEL]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l logger.show-source -d 'add the source file and line to each message [default: false] [variable: LOGGER_SHOW_SOURCE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l logger.mute -d 'write no log [default: false] [variable: LOGGER_MUTE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l logger.formatter.type -d 'text, json, gcp, or auto (text on a terminal, else json) [default: auto] [variable: LOGGER_FORMATTER_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l json -d 'Print one JSON object for each event'
complete -c copilot -n "__fish_copilot_using_subcommand watch" -l all -d 'Watch all pods of this node; needs the node\'s cgroups and pids'
complete -c copilot -n "__fish_copilot_using_subcommand watch" -s h -l help -d 'Print help'
complete -c copilot -n "__fish_copilot_using_subcommand watch" -s V -l version -d 'Print version'
complete -c copilot -n "__fish_copilot_using_subcommand template" -l flyte -d 'The version of Flyte, such as 1.15.2, 1.16 or 2 (required)' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l prefix -d 'How the names of Flyte\'s containers begin: its setting co-pilot.name' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l watcher -d 'What Copilot may use to watch main: ebpf, pidfd, kube-api, or signal for nothing; separate several with commas [default: ebpf, and before Flyte 1.15.1 pidfd]' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l image -d 'The image of Copilot, for the settings' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l config -d 'Configuration files: a path, or a pattern with *, ? and [...] [default: config.yaml in the working directory or in /etc/flyte/config]' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l err-output-name -d 'Name of the error document under the output prefix [default: error.pb and errors.pb]' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l exit-zero-on-error -d 'Exit with 0 after a failure that the error document reports: --exit-code 0' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l exit-code -d 'Exit code after a failure that the error document reports: 0, 1, or auto (the sidecar exits with 0 where Flyte reads the document, everything else with 1)' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l strict -d 'Refuse, with exit code 2, what is only a warning otherwise: words beyond the command, unknown keys in files, unknown variables' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l log-format -d 'Form of the log: text, json, gcp, or auto (text on a terminal, else json); wins over --logger.formatter.type' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l termination-log -d 'File for the message that Kubernetes shows for a failed container; empty for none' -r -F
complete -c copilot -n "__fish_copilot_using_subcommand template" -l max-memory -d 'Memory for data in flight, at least 8Mi [default: a quarter of the container\'s limit, at most 32Mi]' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l max-connections -d 'Largest number of connections to stores; as many are used as help [default: one for each 512Ki of the container\'s limit, from 4 to 256]' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l storage.type -d 'stow (storage.stow.kind names the kind), or mem; s3, minio and local are older names [default: stow] [variable: STORAGE_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l storage.stow.kind -d 'the backend: s3, google, azure or local [default: s3] [variable: STORAGE_STOW_KIND]' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l storage.stow.config -d 'a key=value pair for the backend; may be repeated [default: region=us-east-1] [variable: STORAGE_STOW_CONFIG]' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l storage.container -d 'the base bucket [variable: STORAGE_CONTAINER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l storage.enable-multicontainer -d 'allow buckets other than the base bucket [default: false] [variable: STORAGE_ENABLE_MULTICONTAINER]' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l storage.limits.maxDownloadMBs -d 'largest object to read from a store, in MiB; 0 = no limit [default: 2] [variable: STORAGE_LIMITS_MAXDOWNLOADMBS]' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l storage.connection.endpoint -d 'older name of the stow key endpoint [variable: STORAGE_CONNECTION_ENDPOINT]' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l storage.connection.auth-type -d 'older name of the stow key auth_type [variable: STORAGE_CONNECTION_AUTH_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l storage.connection.access-key -d 'older name of the stow key access_key_id [variable: STORAGE_CONNECTION_ACCESS_KEY]' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l storage.connection.secret-key -d 'older name of the stow key secret_key [variable: STORAGE_CONNECTION_SECRET_KEY]' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l storage.connection.region -d 'older name of the stow key region [variable: STORAGE_CONNECTION_REGION]' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l storage.connection.disable-ssl -d 'older name of the stow key disable_ssl [variable: STORAGE_CONNECTION_DISABLE_SSL]' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l storage.single-store -d 'use one store for references of every scheme, as older platforms do [default: false] [variable: STORAGE_SINGLE_STORE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l storage.s3.sign-payload -d 'sign the payload of S3 requests: auto (only without TLS), always or never [default: auto] [variable: STORAGE_S3_SIGN_PAYLOAD]' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l storage.s3.upload-checksum -d 'checksum that S3 verifies on uploads: none, sha256 or crc64nvme [default: none] [variable: STORAGE_S3_UPLOAD_CHECKSUM]' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l storage.defaultHttpClient.caFile -d 'file of PEM certificates to trust in addition to the system\'s [variable: STORAGE_DEFAULTHTTPCLIENT_CAFILE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l logger.level -d '0 panic, 1 fatal, 2 error, 3 warn, 4 info or 5 debug: the number or the name [default: 4] [variable: LOGGER_LEVEL]' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l logger.show-source -d 'add the source file and line to each message [default: false] [variable: LOGGER_SHOW_SOURCE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l logger.mute -d 'write no log [default: false] [variable: LOGGER_MUTE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l logger.formatter.type -d 'text, json, gcp, or auto (text on a terminal, else json) [default: auto] [variable: LOGGER_FORMATTER_TYPE]' -r
complete -c copilot -n "__fish_copilot_using_subcommand template" -l streaming -d 'Main starts before its data is complete (Flyte 1.16 or newer)'
complete -c copilot -n "__fish_copilot_using_subcommand template" -s h -l help -d 'Print help'
complete -c copilot -n "__fish_copilot_using_subcommand template" -s V -l version -d 'Print version'
complete -c copilot -n "__fish_copilot_using_subcommand completions" -s h -l help -d 'Print help'
complete -c copilot -n "__fish_copilot_using_subcommand man" -s h -l help -d 'Print help'
complete -c copilot -n "__fish_copilot_using_subcommand help; and not __fish_seen_subcommand_from download sidecar ready run inspect make doctor watch template completions man help" -f -a "download" -d 'Fetch a task\'s inputs as local files'
complete -c copilot -n "__fish_copilot_using_subcommand help; and not __fish_seen_subcommand_from download sidecar ready run inspect make doctor watch template completions man help" -f -a "sidecar" -d 'Wait for the main container, then upload its outputs'
complete -c copilot -n "__fish_copilot_using_subcommand help; and not __fish_seen_subcommand_from download sidecar ready run inspect make doctor watch template completions man help" -f -a "ready" -d 'The data sidecar that lets any container take part in a Flyte workflow'
complete -c copilot -n "__fish_copilot_using_subcommand help; and not __fish_seen_subcommand_from download sidecar ready run inspect make doctor watch template completions man help" -f -a "run" -d 'Run a task on this machine, without a cluster'
complete -c copilot -n "__fish_copilot_using_subcommand help; and not __fish_seen_subcommand_from download sidecar ready run inspect make doctor watch template completions man help" -f -a "inspect" -d 'Show inputs, outputs, an interface or an error document'
complete -c copilot -n "__fish_copilot_using_subcommand help; and not __fish_seen_subcommand_from download sidecar ready run inspect make doctor watch template completions man help" -f -a "make" -d 'Make inputs.pb or an interface from JSON or words'
complete -c copilot -n "__fish_copilot_using_subcommand help; and not __fish_seen_subcommand_from download sidecar ready run inspect make doctor watch template completions man help" -f -a "doctor" -d 'Say what will work here, what will not, and how to mend it'
complete -c copilot -n "__fish_copilot_using_subcommand help; and not __fish_seen_subcommand_from download sidecar ready run inspect make doctor watch template completions man help" -f -a "watch" -d 'Show what happens in a pod, as the sidecar sees it'
complete -c copilot -n "__fish_copilot_using_subcommand help; and not __fish_seen_subcommand_from download sidecar ready run inspect make doctor watch template completions man help" -f -a "template" -d 'Print the PodTemplate for Flyte, and the settings beside it'
complete -c copilot -n "__fish_copilot_using_subcommand help; and not __fish_seen_subcommand_from download sidecar ready run inspect make doctor watch template completions man help" -f -a "completions" -d 'Print completions for a shell'
complete -c copilot -n "__fish_copilot_using_subcommand help; and not __fish_seen_subcommand_from download sidecar ready run inspect make doctor watch template completions man help" -f -a "man" -d 'Print a manual page'
complete -c copilot -n "__fish_copilot_using_subcommand help; and not __fish_seen_subcommand_from download sidecar ready run inspect make doctor watch template completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
