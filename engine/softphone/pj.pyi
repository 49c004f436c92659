# ruff: noqa: N802, N803, N815, A002 - the names are the library's
# The part of pjsua2 2.15.1 that engine/softphone uses, read from the SWIG module and the pjsua2 book.

version: str

PJSIP_INV_STATE_NULL: int
PJSIP_INV_STATE_CALLING: int
PJSIP_INV_STATE_INCOMING: int
PJSIP_INV_STATE_EARLY: int
PJSIP_INV_STATE_CONNECTING: int
PJSIP_INV_STATE_CONFIRMED: int
PJSIP_INV_STATE_DISCONNECTED: int

PJSIP_TRANSPORT_UDP: int
PJSIP_TRANSPORT_TCP: int
PJSIP_TRANSPORT_TLS: int
PJSIP_TRANSPORT_UDP6: int
PJSIP_TRANSPORT_TCP6: int
PJSIP_TRANSPORT_TLS6: int
PJSUA_IPV6_ENABLED_USE_IPV6_ONLY: int

PJMEDIA_TYPE_AUDIO: int
PJMEDIA_FILE_NO_LOOP: int
PJMEDIA_DIR_ENCODING: int
PJMEDIA_DIR_DECODING: int

PJSUA_CALL_MEDIA_NONE: int
PJSUA_CALL_MEDIA_ACTIVE: int
PJSUA_CALL_MEDIA_LOCAL_HOLD: int
PJSUA_CALL_MEDIA_REMOTE_HOLD: int
PJSUA_CALL_MEDIA_ERROR: int

PJSUA_CALL_UNHOLD: int
PJSUA_CALL_NO_SDP_OFFER: int

PJSUA_DTMF_METHOD_RFC2833: int
PJSUA_DTMF_METHOD_SIP_INFO: int

PJSUA_SIP_TIMER_INACTIVE: int
PJSUA_SIP_TIMER_OPTIONAL: int
PJSUA_SIP_TIMER_REQUIRED: int
PJSUA_SIP_TIMER_ALWAYS: int
PJMEDIA_SRTP_DISABLED: int
PJMEDIA_SRTP_OPTIONAL: int
PJMEDIA_SRTP_MANDATORY: int
PJMEDIA_SRTP_KEYING_SDES: int

PJSUA_100REL_NOT_USED: int
PJSUA_100REL_OPTIONAL: int
PJSUA_100REL_MANDATORY: int

PJSUA_DESTROY_NO_RX_MSG: int
PJ_SSL_SOCK_PROTO_TLS1_2: int

class Error(Exception):
    status: int
    title: str
    reason: str
    def info(self, multi_line: bool = ...) -> str: ...

class StringVector:
    def append(self, value: str) -> None: ...

class SipHeader:
    hName: str
    hValue: str

class SipHeaderVector:
    def append(self, value: SipHeader) -> None: ...

class SipTxOption:
    headers: SipHeaderVector
    contentType: str
    msgBody: str

class CallSetting:
    flag: int
    audioCount: int
    videoCount: int

class CallOpParam:
    opt: CallSetting
    statusCode: int
    reason: str
    txOption: SipTxOption
    def __init__(self, useDefaultCallSetting: bool = ...) -> None: ...

class CallSendDtmfParam:
    method: int
    duration: int
    digits: str

class CallSendRequestParam:
    method: str
    txOption: SipTxOption

class CallMediaInfo:
    index: int
    type: int
    dir: int
    status: int

class CallInfo:
    id: int
    callIdString: str
    localUri: str
    remoteUri: str
    remoteContact: str
    state: int
    lastStatusCode: int
    lastReason: str
    media: list[CallMediaInfo]

class StreamInfo:
    codecName: str
    codecClockRate: int
    txPt: int
    rxPt: int
    remoteRtpAddress: str

class RtcpStreamStat:
    pkt: int
    loss: int
    discard: int
    reorder: int
    dup: int

class MathStat:
    n: int
    mean: int
    max: int
    last: int

class RtcpStat:
    txStat: RtcpStreamStat
    rxStat: RtcpStreamStat
    rttUsec: MathStat

class StreamStat:
    rtcp: RtcpStat

class Media: ...

class AudioMedia(Media):
    def startTransmit(self, sink: AudioMedia) -> None: ...
    def stopTransmit(self, sink: AudioMedia) -> None: ...

class AudioMediaPlayer(AudioMedia):
    def createPlayer(self, file_name: str, options: int = ...) -> None: ...
    def onEof2(self) -> None: ...

class AudioMediaRecorder(AudioMedia):
    def createRecorder(self, file_name: str) -> None: ...

class AudioDevInfo:
    name: str
    driver: str
    inputCount: int
    outputCount: int

class AudDevManager:
    def setNullDev(self) -> None: ...
    def setCaptureDev(self, capture_dev: int) -> None: ...
    def setPlaybackDev(self, playback_dev: int) -> None: ...
    def enumDev2(self) -> list[AudioDevInfo]: ...
    def getCaptureDevMedia(self) -> AudioMedia: ...
    def getPlaybackDevMedia(self) -> AudioMedia: ...

class SipRxData:
    wholeMsg: str
    srcAddress: str

class SipTransaction:
    method: str
    statusCode: int

class SipEventBody: ...
class OnCallStateParam: ...
class OnCallMediaStateParam: ...

class OnDtmfDigitParam:
    method: int
    digit: str
    duration: int

class OnIncomingCallParam:
    callId: int
    rdata: SipRxData

class OnCallTransferRequestParam:
    dstUri: str
    statusCode: int
    newCall: Call

class OnCallTransferStatusParam:
    statusCode: int
    reason: str
    finalNotify: bool
    cont: bool

class OnCallReplaceRequestParam:
    rdata: SipRxData
    statusCode: int
    newCall: Call

class OnCallReplacedParam:
    newCallId: int
    newCall: Call

class OnRegStateParam:
    status: int
    code: int
    reason: str
    expiration: int

class OnInstantMessageParam:
    contentType: str
    msgBody: str

class Call:
    def __init__(self, acc: Account, call_id: int = ...) -> None: ...
    def getInfo(self) -> CallInfo: ...
    def getId(self) -> int: ...
    def isActive(self) -> bool: ...
    def getAudioMedia(self, med_idx: int) -> AudioMedia: ...
    def makeCall(self, dst_uri: str, prm: CallOpParam) -> None: ...
    def answer(self, prm: CallOpParam) -> None: ...
    def hangup(self, prm: CallOpParam) -> None: ...
    def setHold(self, prm: CallOpParam) -> None: ...
    def reinvite(self, prm: CallOpParam) -> None: ...
    def update(self, prm: CallOpParam) -> None: ...
    def xfer(self, dest: str, prm: CallOpParam) -> None: ...
    def xferReplaces(self, dest_call: Call, prm: CallOpParam) -> None: ...
    def sendDtmf(self, param: CallSendDtmfParam) -> None: ...
    def sendRequest(self, prm: CallSendRequestParam) -> None: ...
    def getStreamInfo(self, med_idx: int) -> StreamInfo: ...
    def getStreamStat(self, med_idx: int) -> StreamStat: ...
    def dump(self, with_media: bool, indent: str) -> str: ...
    def onCallState(self, prm: OnCallStateParam) -> None: ...
    def onCallMediaState(self, prm: OnCallMediaStateParam) -> None: ...
    def onDtmfDigit(self, prm: OnDtmfDigitParam) -> None: ...
    def onCallTransferRequest(self, prm: OnCallTransferRequestParam) -> None: ...
    def onCallTransferStatus(self, prm: OnCallTransferStatusParam) -> None: ...
    def onCallReplaceRequest(self, prm: OnCallReplaceRequestParam) -> None: ...
    def onCallReplaced(self, prm: OnCallReplacedParam) -> None: ...

class AuthCredInfo:
    def __init__(self, scheme: str, realm: str, user_name: str, data_type: int, data: str) -> None: ...

class AuthCredInfoVector:
    def append(self, value: AuthCredInfo) -> None: ...

class AccountRegConfig:
    registrarUri: str
    registerOnAdd: bool
    timeoutSec: int
    retryIntervalSec: int
    firstRetryIntervalSec: int
    unregWaitMsec: int

class AccountSipConfig:
    authCreds: AuthCredInfoVector
    proxies: StringVector
    transportId: int
    ipv6Use: int

class AccountCallConfig:
    prackUse: int
    timerUse: int
    timerMinSESec: int
    timerSessExpiresSec: int

class AccountNatConfig:
    contactRewriteUse: int
    viaRewriteUse: int
    sipOutboundUse: int

class SrtpCrypto:
    name: str

class SrtpCryptoVector:
    def append(self, value: SrtpCrypto) -> None: ...

class IntVector:
    def append(self, value: int) -> None: ...

class SrtpOpt:
    cryptos: SrtpCryptoVector
    keyings: IntVector

class AccountMediaConfig:
    transportConfig: TransportConfig
    ipv6Use: int
    lockCodecEnabled: bool
    srtpUse: int
    srtpSecureSignaling: int
    srtpOpt: SrtpOpt

class AccountConfig:
    idUri: str
    regConfig: AccountRegConfig
    sipConfig: AccountSipConfig
    callConfig: AccountCallConfig
    mediaConfig: AccountMediaConfig
    natConfig: AccountNatConfig

class AccountInfo:
    uri: str
    regIsActive: bool
    regStatus: int
    regStatusText: str
    regLastErr: int
    regExpiresSec: int

class Account:
    def create(self, cfg: AccountConfig, make_default: bool = ...) -> None: ...
    def shutdown(self) -> None: ...
    def getInfo(self) -> AccountInfo: ...
    def setRegistration(self, renew: bool) -> None: ...
    def onIncomingCall(self, prm: OnIncomingCallParam) -> None: ...
    def onRegState(self, prm: OnRegStateParam) -> None: ...
    def onInstantMessage(self, prm: OnInstantMessageParam) -> None: ...

class TlsConfig:
    CaListFile: str
    certFile: str
    privKeyFile: str
    proto: int
    verifyServer: bool
    verifyClient: bool

class TransportConfig:
    port: int
    boundAddress: str
    tlsConfig: TlsConfig

class TransportInfo:
    localName: str
    localAddress: str

class UaConfig:
    maxCalls: int
    threadCnt: int
    mainThreadOnly: bool
    userAgent: str

class LogConfig:
    msgLogging: int
    level: int
    consoleLevel: int
    filename: str

class MediaConfig:
    clockRate: int
    sndClockRate: int
    channelCount: int
    noVad: bool
    jbInit: int
    jbMinPre: int
    jbMaxPre: int
    jbMax: int
    ecTailLen: int
    ptime: int

class JsonDocument:
    def writeObject(self, obj: MediaConfig) -> None: ...
    def readObject(self, obj: MediaConfig) -> None: ...
    def loadString(self, input: str) -> None: ...
    def saveString(self) -> str: ...

class EpConfig:
    uaConfig: UaConfig
    logConfig: LogConfig
    medConfig: MediaConfig

class CodecInfo:
    codecId: str
    priority: int

class Endpoint:
    def libCreate(self) -> None: ...
    def libInit(self, prmEpConfig: EpConfig) -> None: ...
    def libStart(self) -> None: ...
    def libHandleEvents(self, msec_timeout: int) -> int: ...
    def libDestroy(self, prmFlags: int = ...) -> None: ...
    def transportCreate(self, type: int, cfg: TransportConfig) -> int: ...
    def transportGetInfo(self, id: int) -> TransportInfo: ...
    def transportClose(self, id: int) -> None: ...
    def hangupAllCalls(self) -> None: ...
    def audDevManager(self) -> AudDevManager: ...
    def codecEnum2(self) -> list[CodecInfo]: ...
    def codecSetPriority(self, codec_id: str, priority: int) -> None: ...
    def utilStrError(self, prmErr: int) -> str: ...
