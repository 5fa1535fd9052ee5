cimport cython

from appliance.proxy.branch cimport Branch
from appliance.proxy.environment cimport ProxyEnvironment
from appliance.proxy.identities cimport withhold_identity
from appliance.sip.message cimport Response
from appliance.transaction.transaction cimport ServerTransaction


@cython.locals(server=ServerTransaction)
cpdef object keep_privacy(Response response, Branch branch, ProxyEnvironment node, double now)
